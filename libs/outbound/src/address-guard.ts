/**
 * Which addresses may be connected to: public ones, and those of blocks that the configuration allows. What is not public stands in
 * the special-purpose registries of IANA (RFC 6890): loopback, private, link-local with the metadata services of clouds, shared
 * (CGNAT), multicast, documentation, reserved. Of IPv6 only 2000::/3 is public; what embeds an IPv4 address (mapped, 6to4,
 * Teredo, NAT64) is not, because it would lead to any of them.
 */
import { BlockList, isIP } from 'node:net';

const NOT_PUBLIC_V4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

const NOT_PUBLIC_V6: readonly (readonly [network: string, prefix: number])[] = [
  ['::', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['4000::', 2],
  ['8000::', 1],
];

type Family = 'ipv4' | 'ipv6';
const familyOf = (address: string): Family => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** One list a family: in one list alone, blocks of IPv6 match IPv4 addresses by their mapped form. */
type Blocks = Readonly<Record<Family, BlockList>>;

function blocksOf(blocks: Iterable<readonly [network: string, prefix: number]>): Blocks {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const [network, prefix] of blocks) lists[familyOf(network)].addSubnet(network, prefix, familyOf(network));
  return lists;
}

const NOT_PUBLIC = blocksOf([...NOT_PUBLIC_V4, ...NOT_PUBLIC_V6]);

function parsed(block: string): readonly [network: string, prefix: number] {
  const [network = '', prefix = isIP(network) === 6 ? 128 : 32] = block.split('/');
  return [network, Number(prefix)];
}

export class AddressGuard {
  private readonly allowed: Blocks;

  /** `allowed`: blocks that may be reached although they are not public, such as `10.1.0.0/16` or `::1`. */
  constructor(allowed: readonly string[] = []) {
    this.allowed = blocksOf(allowed.map(parsed));
  }

  /** Whether an IP address, as the resolver or the URL parser writes it, may be connected to. */
  mayReach(address: string): boolean {
    if (isIP(address) === 0) return false;
    const family = familyOf(address);
    return this.allowed[family].check(address, family) || !NOT_PUBLIC[family].check(address, family);
  }
}
