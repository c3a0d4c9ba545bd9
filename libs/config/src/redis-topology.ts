/**
 * Which Redis a URL leads to: one server, or a Redis Cluster. A URL that names several hosts is a cluster's, of which they
 * are nodes to begin with; one host with `?cluster=true` too, such as the address that a hosted cluster is reached at.
 */
export interface RedisServers {
  readonly kind: 'server' | 'cluster';
  /** One-host URLs with the credentials and options of the whole, in the order given. */
  readonly urls: readonly string[];
}

const MULTI_HOST = /^(rediss?:\/\/(?:[^@/]*@)?)([^/?]+)(.*)$/;

/** Throws a TypeError, without the URL, for what leads to none. */
export function redisServers(url: string): RedisServers {
  const [, head, hosts, tail] = MULTI_HOST.exec(url) ?? [];
  if (hosts === undefined) throw new TypeError('A URL of Redis is redis://host:6379, or rediss://host:6379 with TLS.');
  const parsed = hosts.split(',').map((host) => new URL(`${head!}${host}${tail!}`));
  const cluster = parsed.length > 1 || parsed[0]!.searchParams.get('cluster') === 'true';
  for (const one of parsed) one.searchParams.delete('cluster');
  const urls = parsed.map(String);
  if (!cluster) return { kind: 'server', urls };
  if (urls.some((one) => !/^\/?0?$/.test(new URL(one).pathname)))
    throw new TypeError('A Redis Cluster has database 0 only.');
  return { kind: 'cluster', urls };
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
      return [`${name} must be a URL such as redis://host:6379, or redis://host1:6379,host2:6379 for a Redis Cluster.`];
    }
  });
}
