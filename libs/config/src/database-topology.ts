/**
 * Which Postgres clusters there are: the shard of DATABASE_URL, which also keeps the directory, and those of
 * DATABASE_SHARDS. A URL may name several hosts, as libpq's does: whichever of them takes writes is the primary
 * (`target_session_attrs=read-write`), so a promotion changes no configuration.
 */
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { REGION_NAME } from './regions.schema';

export interface ShardTopology {
  /** Name in the directory and in consistency tokens. */
  readonly name: string;
  /** One-host URLs without a role of ours, in the order given: each may be, or become, the primary. */
  readonly hosts: readonly string[];
  /** One-host URLs that serve reads only. */
  readonly replicas: readonly string[];
  /** Where its servers are. */
  readonly region: string;
}

/** Name of the shard of DATABASE_URL. */
export const HOME_SHARD = 'main';

const SHARDS = Type.Record(
  Type.String({ pattern: '^[a-z][a-z0-9_-]{0,30}$' }),
  Type.Object(
    {
      url: Type.String({ pattern: '^postgres(ql)?://' }),
      replica_urls: Type.Optional(Type.Array(Type.String({ pattern: '^postgres(ql)?://' }))),
      region: Type.Optional(Type.String({ pattern: REGION_NAME })),
    },
    { additionalProperties: false },
  ),
  { additionalProperties: false },
);
const validator = Compile(SHARDS);

const MULTI_HOST = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]+)(.*)$/;

/** The one-host URLs of a URL with one or several hosts. Throws a TypeError for what is none. */
export function hostUrls(url: string): string[] {
  const [, head, hosts, tail] = MULTI_HOST.exec(url) ?? [];
  const urls = (hosts ?? '').split(',').map((host) => `${head ?? ''}${host}${tail ?? ''}`);
  for (const one of urls) new URL(one);
  return urls;
}

function commaSeparated(urls: string): string[] {
  return urls
    .split(',')
    .map((url) => url.trim())
    .filter(Boolean);
}

interface TopologyVariables {
  readonly DATABASE_URL: string;
  readonly DATABASE_REPLICA_URLS: string;
  readonly DATABASE_SHARDS: string;
  readonly DATABASE_REGION: string;
  readonly REGION: string;
}

function parseShards(text: string): Static<typeof SHARDS> {
  if (text === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new TypeError('DATABASE_SHARDS must be JSON, such as {"two":{"url":"postgres://…","replica_urls":[]}}.');
  }
  if (!validator.Check(parsed)) {
    const [problem] = validator.Errors(parsed);
    throw new TypeError(`DATABASE_SHARDS${problem?.instancePath ?? ''} ${problem?.message ?? 'is not usable'}.`);
  }
  if (HOME_SHARD in parsed)
    throw new TypeError(`DATABASE_SHARDS may not name "${HOME_SHARD}": that is DATABASE_URL's.`);
  return parsed;
}

function named<T>(variable: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new TypeError(`${variable} must hold URLs such as postgres://host:5432/stockyard.`);
  }
}

/** Every shard of every region that is named, the home shard first. Throws a TypeError that names the variable at fault and no value of it. */
export function shardTopology(variables: TopologyVariables): ShardTopology[] {
  const home = {
    name: HOME_SHARD,
    hosts: named('DATABASE_URL', () => hostUrls(variables.DATABASE_URL)),
    replicas: named('DATABASE_REPLICA_URLS', () =>
      commaSeparated(variables.DATABASE_REPLICA_URLS).flatMap((url) => hostUrls(url)),
    ),
    region: variables.DATABASE_REGION || variables.REGION,
  };
  const others = Object.entries(parseShards(variables.DATABASE_SHARDS)).map(
    ([name, { url, replica_urls = [], region = variables.REGION }]) =>
      named('DATABASE_SHARDS', () => ({
        name,
        hosts: hostUrls(url),
        replicas: replica_urls.flatMap(hostUrls),
        region,
      })),
  );
  return [home, ...others];
}
