/** How many requests of an organization are worked on at once. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ConcurrentRequests1764000027000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Columns with defaults are added; no statement of it names all columns of the limits.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenant_limits add column max_concurrent_requests integer check (max_concurrent_requests > 0);
      alter table tier_limits add column max_concurrent_requests integer not null default 1;
      update tier_limits t set max_concurrent_requests = v.requests from (values
        ('free', 20), ('starter', 40), ('professional', 100), ('enterprise', 400)
      ) v (tier, requests) where v.tier = t.tier;
      alter table tier_limits alter column max_concurrent_requests drop default;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tier_limits drop column max_concurrent_requests;
      alter table tenant_limits drop column max_concurrent_requests`);
  }
}
