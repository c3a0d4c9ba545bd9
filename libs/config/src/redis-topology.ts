/**
 * Which Redis a URL leads to: one server, a Redis Cluster, or the master that Sentinels name. A URL that names several hosts is
 * a cluster's, of which they are nodes to begin with; one host with `?cluster=true` too, such as the address that a hosted
 * cluster is reached at. `redis+sentinel://` names Sentinels instead, and the master by what they call it:
 * `redis+sentinel://user:password@sentinel1:26379,sentinel2:26379/stockyard?sentinel_password=…`.
 */
export interface RedisServers {
  readonly kind: 'server' | 'cluster' | 'sentinel';
  /** One-host URLs with the credentials and options of the whole, in the order given; of Sentinels with those for Sentinels. */
  readonly urls: readonly string[];
  /** Where Sentinels tell. */
  readonly master?: RedisMaster;
}

export interface RedisMaster {
  /** What the Sentinels call it (`sentinel monitor <name> …`). */
  readonly name: string;
  /** To the master itself, whichever server that is: user, password and database, of a host that does not matter. */
  readonly url: string;
}

const MULTI_HOST = /^(rediss?(?:\+sentinel)?:\/\/(?:[^@/]*@)?)([^/?]+)(.*)$/;
const MASTER_PATH = /^\/([A-Za-z0-9._-]+)(\/\d+)?$/;
const SENTINEL_PORT = '26379';

/** Throws a TypeError, without the URL, for what leads to none. */
export function redisServers(url: string): RedisServers {
  const [, head, hosts, tail] = MULTI_HOST.exec(url) ?? [];
  if (hosts === undefined) throw new TypeError('A URL of Redis is redis://host:6379, or rediss://host:6379 with TLS.');
  const parsed = hosts.split(',').map((host) => new URL(`${head!}${host}${tail!}`));
  if (head!.includes('+sentinel:')) return mastersOf(parsed);
  const cluster = parsed.length > 1 || parsed[0]!.searchParams.get('cluster') === 'true';
  for (const one of parsed) one.searchParams.delete('cluster');
  const urls = parsed.map(String);
  if (!cluster) return { kind: 'server', urls };
  if (urls.some((one) => !/^\/?0?$/.test(new URL(one).pathname)))
    throw new TypeError('A Redis Cluster has database 0 only.');
  return { kind: 'cluster', urls };
}

function mastersOf(sentinels: readonly URL[]): RedisServers {
  const { protocol, username, password, pathname, searchParams } = sentinels[0]!;
  const [, name, database = ''] = MASTER_PATH.exec(pathname) ?? [];
  if (name === undefined) throw new TypeError('A URL of Sentinels ends with the name of the master.');
  const scheme = protocol.replace('+sentinel:', '://');
  const login = (user: string, secret: string) => (user || secret ? `${user}${secret && `:${secret}`}@` : '');
  const parameter = (key: string) => encodeURIComponent(searchParams.get(key) ?? '');
  const ofSentinels = login(parameter('sentinel_username'), parameter('sentinel_password'));
  return {
    kind: 'sentinel',
    urls: sentinels.map(({ hostname, port }) => `${scheme}${ofSentinels}${hostname}:${port || SENTINEL_PORT}`),
    master: { name, url: `${scheme}${login(username, password)}master${database}` },
  };
}

interface RedisVariables {
  readonly REDIS_URL: string;
  readonly REDIS_CACHE_URL: string;
  readonly REDIS_LIMITS_URL: string;
}

/** What is wrong with them, by name and without any value. */
export function unusableRedis(variables: RedisVariables): string[] {
  return (['REDIS_URL', 'REDIS_CACHE_URL', 'REDIS_LIMITS_URL'] as const).flatMap((name) => {
    if (variables[name] === '') return [];
    try {
      redisServers(variables[name]);
      return [];
    } catch {
      return [
        `${name} must be a URL such as redis://host:6379, redis://host1:6379,host2:6379 for a Redis Cluster, or redis+sentinel://host1:26379,host2:26379/master for Sentinels.`,
      ];
    }
  });
}
