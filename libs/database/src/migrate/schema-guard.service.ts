/** Refuses to serve a shard whose schema this release cannot run on: older than it, or newer and broken for it. */
import { Inject, Injectable } from '@nestjs/common';
import { RELEASE_MIGRATIONS } from '../database.constants';
import type { Shard } from '../shards/shard';
import { Shards } from '../shards/shards.service';
import type { MigrationClass } from './migration';
import { requireSchema } from './schema-check';

@Injectable()
export class SchemaGuard {
  constructor(
    private readonly shards: Shards,
    @Inject(RELEASE_MIGRATIONS) private readonly migrations: readonly Pick<MigrationClass, 'name'>[] | null,
  ) {}

  /** Throws `schema_too_old` or `schema_too_new`. */
  async prove({ name }: Shard): Promise<void> {
    if (!this.migrations) return;
    const pool = this.shards.pool(name, 'app');
    const query = (sql: string) => pool.query<Record<string, unknown>>(sql);
    await requireSchema(name, { query }, this.migrations);
  }
}
