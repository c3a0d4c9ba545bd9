/**
 * Connections of their own for what takes a tenant as a whole: one at a time, to the server of a shard that takes writes,
 * ended when the work has settled. Such work is rare and long, so it takes none of the pools' connections.
 */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, type DatabaseRole, roleUrl } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import { Client } from 'pg';
import { translateDatabaseError } from '../database.error';

@Injectable()
export class ShardConnections {
  constructor(@Inject(APP_CONFIG) private readonly config: AppConfig) {}

  /** Names of all shards, the home shard first. */
  get shards(): readonly string[] {
    return this.config.shards.map(({ name }) => name);
  }

  /** Runs `work` with a connection. Throws `unknown_shard` (422), or `database_unavailable` (503) while no server takes writes. */
  async use<T>(shard: string, role: DatabaseRole, work: (client: Client) => Promise<T>): Promise<T> {
    try {
      const client = await this.connect(shard, role);
      try {
        return await work(client);
      } finally {
        await client.end().catch(() => undefined);
      }
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  private async connect(shard: string, role: DatabaseRole): Promise<Client> {
    const topology = this.config.shards.find(({ name }) => name === shard);
    if (!topology) throw unknownShard(shard, this.shards);
    let cause: unknown;
    for (const url of topology.hosts) {
      const client = new Client({
        connectionString: roleUrl(this.config, role, url),
        application_name: `stockyard-lifecycle-${role}`,
        connectionTimeoutMillis: this.config.DATABASE_POOL_WAIT_MS,
        keepAlive: true,
      });
      client.on('error', () => undefined); // told by the query that is under way
      try {
        await client.connect();
        const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
        if (rows[0]?.standby === false) return client;
      } catch (error) {
        cause = error;
      }
      await client.end().catch(() => undefined);
    }
    throw noPrimary(shard, cause);
  }
}

/** The refusal of a shard that the configuration does not name. */
export function unknownShard(shard: string, known: readonly string[]): StockyardError {
  return new StockyardError({
    code: 'unknown_shard',
    category: 'unprocessable',
    param: 'shard',
    message: `There is no shard "${shard}"; the shards are ${known.join(', ')}.`,
    details: { shards: known },
  });
}

function noPrimary(shard: string, cause: unknown): StockyardError {
  return new StockyardError({
    code: 'database_unavailable',
    category: 'unavailable',
    message: `No server of the shard "${shard}" takes writes at the moment. Retry.`,
    retryAfterSeconds: 1,
    cause,
  });
}
