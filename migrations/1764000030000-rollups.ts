/** What each tenant did by minute, hour and day, with latencies as sketches, and sums of it over all tenants. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { DAY_FUNCTIONS, MONTH_FUNCTIONS_AGAIN } from './rollups/partitions';
import { SKETCH_FUNCTIONS } from './rollups/sketches';
import { SUM_FUNCTIONS } from './rollups/sums';
import { ACTIVITY_TABLES } from './rollups/tables';

const MONTHS_AHEAD = 3;

export class Rollups1764000030000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Tables and functions are added; the functions that are replaced keep their signatures.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ACTIVITY_TABLES);
    await runner.query(SKETCH_FUNCTIONS);
    await runner.query(SUM_FUNCTIONS);
    await runner.query(DAY_FUNCTIONS);
    await runner.query('select maintain_partitions($1)', [MONTHS_AHEAD]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function tenant_use(timestamptz, timestamptz);
      drop aggregate merged_sketch(integer[]);
      drop function merge_sketches(integer[], integer[]);
      drop table tenant_days, tenant_hours, tenant_minutes`);
    await runner.query(MONTH_FUNCTIONS_AGAIN);
  }
}
