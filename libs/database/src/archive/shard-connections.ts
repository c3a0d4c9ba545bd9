/**
 * Connections of their own for what takes a tenant as a whole: one at a time, to the server of a shard that takes writes,
 * ended when the work has settled. Such work is rare and long, so it takes none of the pools' connections.
 */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, type DatabaseRole, roleUrl } from '#libs/config';
import { Client } from 'pg';
import type { Regions } from '#libs/tenancy';
import { translateDatabaseError } from '../database.error';
import { Shards } from '../shards/shards.service';

@Injectable()
export class ShardConnections {
  constructor(
    private readonly all: Shards,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** Names of the shards of this region. */
  get shards(): readonly string[] {
    return this.all.all().map(({ name }) => name);
  }

  get regions(): Regions {
    return this.all.regions;
  }

  /** As Shards.forNew. */
  forNew(organizationId: string, shard: string): string {
    return this.all.forNew(organizationId, shard);
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
    const client = new Client({
      connectionString: roleUrl(this.config, role, this.all.get(shard).requirePrimary().url),
      application_name: `stockyard-lifecycle-${role}`,
      connectionTimeoutMillis: this.config.DATABASE_POOL_WAIT_MS,
      keepAlive: true,
    });
    client.on('error', () => undefined); // told by the query that is under way
    await client.connect();
    return client;
  }
}
