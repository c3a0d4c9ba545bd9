/** Which regions there are, and in which of them each shard is: from REGIONS and the regions of the shards. */
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import type { ShardTopology } from './database-topology';
import { REGION_NAME } from './regions.schema';

export interface RegionMap {
  /** Address of each region's api, without a slash at its end; empty where there is one region. */
  readonly regions: Readonly<Record<string, string>>;
  /** Region of each shard that the configuration names. */
  readonly shardRegions: Readonly<Record<string, string>>;
  /** Shards of this region: those that its processes serve. The home shard first, where it is one of them. */
  readonly shards: readonly ShardTopology[];
}

interface RegionVariables {
  readonly REGION: string;
  readonly REGIONS: string;
  readonly REGIONS_SECRET: string;
}

const ENDPOINTS = Type.Record(Type.String({ pattern: REGION_NAME }), Type.String({ pattern: '^https?://[^\\s?#]+$' }), {
  additionalProperties: false,
});
const validator = Compile(ENDPOINTS);
const SECRET_LENGTH = 32;
const EXAMPLE = 'such as {"eu":"https://eu.example.com","us":"https://us.example.com"}';

function parseEndpoints(text: string): Record<string, string> {
  if (text === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new TypeError(`REGIONS must be JSON, ${EXAMPLE}.`);
  }
  const isUsable = validator.Check(parsed) && Object.values(parsed).every((url) => URL.canParse(url));
  if (!isUsable) throw new TypeError(`REGIONS must name the address of each region's api, ${EXAMPLE}.`);
  return Object.fromEntries(
    Object.entries(parsed as Record<string, string>).map(([name, url]) => [name, url.replace(/\/+$/, '')]),
  );
}

/** Throws a TypeError that names the variable at fault. `all` are the shards of every region that the configuration names. */
export function regionMap(
  { REGION, REGIONS, REGIONS_SECRET }: RegionVariables,
  all: readonly ShardTopology[],
): RegionMap {
  const regions = parseEndpoints(REGIONS);
  if (REGIONS !== '') {
    if (!Object.hasOwn(regions, REGION)) throw new TypeError('REGIONS must name the REGION of this deployment too.');
    if (REGIONS_SECRET === '') throw new TypeError('REGIONS_SECRET is missing; REGIONS needs it.');
  }
  if (REGIONS_SECRET !== '' && REGIONS_SECRET.length < SECRET_LENGTH)
    throw new TypeError(`REGIONS_SECRET must have at least ${SECRET_LENGTH} characters.`);
  all.forEach(({ region }, index) => {
    if (region === REGION || Object.hasOwn(regions, region)) return;
    const variable = index === 0 ? 'DATABASE_REGION' : 'DATABASE_SHARDS';
    throw new TypeError(`${variable} places a shard in a region that REGIONS does not name.`);
  });
  const shards = all.filter(({ region }) => region === REGION);
  if (shards.length === 0) throw new TypeError('DATABASE_SHARDS must name a shard of this REGION.');
  return { regions, shards, shardRegions: Object.fromEntries(all.map(({ name, region }) => [name, region])) };
}
