/** Which runs of which servers hold the keys: another text after a restart, and after a replica took over. */
import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './redis-client';

/** Rejects while a server does not answer, or some keys are served by none. */
export async function redisRunIds(client: RedisClient): Promise<string> {
  const servers = client instanceof Cluster ? mastersOf(client) : [client];
  return (await Promise.all(servers.map(runId))).sort().join(' ');
}

async function runId(server: Redis): Promise<string> {
  return /^run_id:(\w+)/m.exec(await server.info('server'))?.[1] ?? '';
}

function mastersOf(cluster: Cluster): Redis[] {
  const nodes = new Map(cluster.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]));
  const owners = new Set(Array.from(cluster.slots, (servers?: string[]) => servers?.[0] ?? ''));
  if (owners.size === 0) throw new Error('It is not known yet which servers there are.');
  return [...owners].map((owner) => {
    const node = nodes.get(owner);
    if (!node) throw new Error(`The server ${owner} of the cluster is away.`);
    return node;
  });
}
