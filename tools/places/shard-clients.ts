/** A connection to the primary of each shard, as the role of the directory. */
import { type AppConfig, roleUrl, type ShardTopology } from '#libs/config';
import { Client } from 'pg';

const CONNECT_TIMEOUT_MS = 5_000;

/** The caller ends them. Rejects where a shard has no host that takes writes: without it nothing can be compared. */
export async function shardClients(config: AppConfig): Promise<ReadonlyMap<string, Client>> {
  const clients = new Map<string, Client>();
  try {
    for (const shard of config.shards) clients.set(shard.name, await primaryOf(config, shard));
    return clients;
  } catch (error) {
    await Promise.all([...clients.values()].map((client) => client.end()));
    throw error;
  }
}

async function primaryOf(config: AppConfig, shard: ShardTopology): Promise<Client> {
  const answers: string[] = [];
  for (const url of shard.hosts) {
    const client = new Client({
      connectionString: roleUrl(config, 'control', url),
      application_name: 'stockyard-places',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
      if (!rows[0]!.standby) return client;
      answers.push(`${new URL(url).host} is a standby`);
    } catch (error) {
      answers.push(`${new URL(url).host}: ${(error as Error).message}`);
    }
    await client.end().catch(() => undefined);
  }
  throw new Error(`The shard ${shard.name} takes no writes: ${answers.join('; ')}.`);
}
