/** How many bytes of cached values an organization may have. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CacheBudget1764000020000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Columns with defaults are added; no statement of it names all columns of the limits.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenant_limits add column max_cache_bytes bigint check (max_cache_bytes > 0);
      alter table tier_limits add column max_cache_bytes bigint not null default 1;
      update tier_limits t set max_cache_bytes = v.bytes from (values
        ('free', 8388608), ('starter', 33554432), ('professional', 134217728), ('enterprise', 536870912)
      ) v (tier, bytes) where v.tier = t.tier;
      alter table tier_limits alter column max_cache_bytes drop default;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tier_limits drop column max_cache_bytes;
      alter table tenant_limits drop column max_cache_bytes`);
  }
}
