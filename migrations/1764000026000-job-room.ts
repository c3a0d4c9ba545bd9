/** `max_waiting_jobs` holds however many make jobs at the same moment. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const HEAD =
  'create or replace function require_job_room(organization uuid, adding integer) returns void language plpgsql';

const REFUSAL = `
        if waiting + adding > maximum then
          perform refuse('queue_full', 'limited',
            format('%s jobs are waiting, and the limit max_waiting_jobs is %s; retry when some are done.', waiting, maximum),
            null, jsonb_build_object('limit', 'max_waiting_jobs', 'maximum', maximum, 'in_use', waiting));
        end if;`;

export class JobRoom1764000026000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A function is replaced that has the same arguments and refuses in the same way.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Refuses with queue_full (429) what would wait beyond max_waiting_jobs. Jobs that are being made at the same moment do not
      -- see each other, and there are no more of them than connections. Further than that from the limit they are made beside
      -- each other, under a shared lock; nearer to it one after another, each seeing those before. Volatile: the count that
      -- follows a lock has a younger snapshot. Meant for one job a transaction: that of a second one may want the other lock
      -- while somebody else's does too, and one of both has to be repeated.
      ${HEAD} volatile as $$
      declare
        maximum bigint := tenant_limit(organization, 'max_waiting_jobs');
        far bigint := maximum - current_setting('max_connections')::bigint;
        room bigint := hashtextextended('job_room:' || organization::text, 0);
        waiting bigint;
      begin
        if far > 0 then
          begin
            perform pg_advisory_xact_lock_shared(room);
            perform from jobs where organization_id = organization and state = 'queued' offset far limit 1;
            if not found then return; end if;
            raise sqlstate 'SY004'; -- back to the beginning of the block, which gives the lock back
          exception when sqlstate 'SY004' then null;
          end;
        end if;
        perform pg_advisory_xact_lock(room);
        select count(*) into waiting from
          (select from jobs where organization_id = organization and state = 'queued' limit maximum + 1) queued;${REFUSAL}
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${HEAD} stable as $$
      declare
        maximum bigint := tenant_limit(organization, 'max_waiting_jobs');
        waiting bigint;
      begin
        select count(*) into waiting from
          (select from jobs where organization_id = organization and state = 'queued' limit maximum + 1) queued;${REFUSAL}
      end $$`);
  }
}
