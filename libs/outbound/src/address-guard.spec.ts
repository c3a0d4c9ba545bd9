import fc from 'fast-check';
import { AddressGuard } from './address-guard';

const REFUSED = [
  ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['169.254.169.254', '100.64.0.1', '100.127.255.255', '192.0.0.192', '192.0.2.1', '198.18.0.1', '198.19.255.255'],
  ...['198.51.100.1', '203.0.113.9', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', '192.88.99.1'],
  ...[
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '64:ff9b:1::1',
  ],
  ...['100::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '2002:0a00:0001::1', '3fff::1', 'fc00::1', 'fd12:3456::1'],
  ...['fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', 'fd00:ec2::254', '5f00::1'],
  ...['', 'localhost', 'example.com', '1.2.3', '0x7f.1'],
];
const REACHED = [
  ...['1.1.1.1', '8.8.8.8', '11.0.0.1', '100.63.255.255', '100.128.0.1', '128.0.0.1', '172.15.0.1', '172.32.0.1'],
  ...['192.167.0.1', '192.169.0.1', '198.17.0.1', '198.20.0.1', '223.255.255.255'],
  ...['2606:4700:4700::1111', '2a00:1450:4001:80e::200e', '2001:4860:4860::8888', '2003::1'],
];

describe('AddressGuard', () => {
  it.each(REFUSED)('refuses %s', (address) => {
    expect(new AddressGuard().mayReach(address)).toBe(false);
  });

  it.each(REACHED)('lets %s be reached', (address) => {
    expect(new AddressGuard().mayReach(address)).toBe(true);
  });

  it('lets through what a block allows, and its neighbours no more than before', () => {
    const guard = new AddressGuard(['10.1.0.0/16', '127.0.0.1', 'fd00::/8', '::1/128']);
    for (const address of ['10.1.255.255', '127.0.0.1', 'fd12::1', '::1', '1.1.1.1']) {
      expect([address, guard.mayReach(address)]).toEqual([address, true]);
    }
    for (const address of ['10.2.0.0', '127.0.0.2', 'fc00::1', '::2', '169.254.169.254']) {
      expect([address, guard.mayReach(address)]).toEqual([address, false]);
    }
  });

  it('refuses every IPv4 address of a private block, however IPv6 embeds it', () => {
    const privately = fc
      .tuple(fc.constantFrom([10, 0], [127, 0], [192, 168], [169, 254]), fc.nat(255), fc.nat(255))
      .map(([[a, b], c, d]) => [a, b, c, d]);
    fc.assert(
      fc.property(privately, ([a, b, c, d]) => {
        const [high, low] = [((a! << 8) | b!).toString(16), ((c! << 8) | d!).toString(16)];
        const forms = [
          `${a}.${b}.${c}.${d}`,
          `::ffff:${high}:${low}`,
          `64:ff9b::${high}:${low}`,
          `2002:${high}:${low}::`,
        ];
        const guard = new AddressGuard(['172.16.0.0/12']);
        return forms.every((form) => !guard.mayReach(form));
      }),
    );
  });
});
