/** Limits that the database knows, flushes of usage that count once, the ledger of stored files, and months that go. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { LIMIT_FUNCTIONS, TIER_LIMITS_TABLE } from './usage-and-limits/limits';
import { PARTITION_FUNCTIONS, PREVIOUS_PARTITION_FUNCTIONS } from './usage-and-limits/partitions';
import { wallIn } from './tenant-table';

const LEDGERS = `
  -- One row for each process that writes a tenant's usage: the number of its newest flush that was applied. A flush is
  -- applied only with a greater one, so that one which is sent again after its answer was lost counts once.
  create table usage_writers (
    organization_id uuid not null,
    writer uuid not null,
    last_flush bigint not null check (last_flush > 0),
    flushed_at timestamptz not null default now(),
    primary key (organization_id, writer));
  ${wallIn('usage_writers', 'select, insert, update, delete')}

  -- Every file that counts against max_storage_bytes.
  create table stored_files (
    organization_id uuid not null,
    key text not null check (length(key) between 1 and 400),
    bytes bigint not null check (bytes >= 0),
    stored_at timestamptz not null default now(),
    primary key (organization_id, key));
  ${wallIn('stored_files', 'select, insert, update, delete')}`;

export class UsageAndLimits1764000007000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Tables and functions are added; the functions that are replaced keep their signatures.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(LEDGERS);
    await runner.query(TIER_LIMITS_TABLE);
    await runner.query(LIMIT_FUNCTIONS);
    await runner.query(PARTITION_FUNCTIONS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function require_tenant_limit(uuid, text, bigint), check_tenant_limit(uuid, text, bigint), tenant_limit(uuid, text),
        retire_partition(text, interval), retire_partition(regclass, interval, timestamptz), partition_headroom(timestamptz),
        maintain_partitions(integer, timestamptz);
      drop policy upkeep on outbox;
      drop policy limits on tenant_limits;
      drop table tier_limits, stored_files, usage_writers`);
    await runner.query(PREVIOUS_PARTITION_FUNCTIONS);
  }
}
