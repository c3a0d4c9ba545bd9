/** Usage per tenant, the audit log, and the first months of every partitioned table. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

const MONTHS_AHEAD = 3;

export class Ledgers1764000005000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Part of the first release: there is none before it.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenant_usage (
        organization_id uuid not null,
        metric text not null check (length(metric) between 1 and 100),
        period_start timestamptz not null,
        value bigint not null,
        primary key (organization_id, metric, period_start)) partition by range (period_start);
      ${wallIn('tenant_usage', 'select, insert, update')}

      create table audit_log (
        organization_id uuid not null,
        id uuid not null,
        actor_type text not null,
        actor_id uuid,
        action text not null,
        target_type text not null,
        target_id text,
        data jsonb,
        request_id text,
        recorded_at timestamptz not null default now(),
        primary key (organization_id, id)) partition by range (id);
      ${wallIn('audit_log', 'select, insert')}
    `);
    await runner.query('select maintain_partitions($1)', [MONTHS_AHEAD]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table audit_log, tenant_usage');
  }
}
