/** enter_write with the look at the place and the tenant's variable in one statement: two expressions fewer a write. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const HEAD = `
  create or replace function enter_write(wanted uuid, wanted_epoch integer, suspended_too boolean default false) returns void
  language plpgsql security definer as $$`;
const LOCK = `
  if not pg_catalog.pg_try_advisory_xact_lock_shared(7203114, pg_catalog.uuid_hash(wanted)) then
    perform public.refuse_entry('fenced', null);
  end if;`;

export class ShorterEntry1764000011000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A function does the same with less.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Lock first, look second, and why no name goes unqualified: 1764000006000-places.ts. Under READ COMMITTED, where each
      -- statement of a function has a snapshot of its own, so does the second look, which only says what the refusal is for.
      ${HEAD}
      declare
        entered pg_catalog.text; place_epoch pg_catalog.int4; place_state pg_catalog.text;
      begin
        ${LOCK}
        select pg_catalog.set_config('app.tenant_id', p.tenant::pg_catalog.text, true) into entered
          from public.tenant_places p
          where p.tenant = wanted and p.epoch = wanted_epoch
            and (p.state = 'open' or (suspended_too and p.state = 'suspended'));
        if entered is null then
          select p.epoch, p.state into place_epoch, place_state from public.tenant_places p where p.tenant = wanted;
          perform public.refuse_entry(place_state, place_epoch);
        end if;
      end $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${HEAD}
      declare
        ignored pg_catalog.text; place_epoch pg_catalog.int4; place_state pg_catalog.text;
      begin
        ${LOCK}
        select p.epoch, p.state into place_epoch, place_state from public.tenant_places p where p.tenant = wanted;
        if place_epoch is distinct from wanted_epoch
          or not (place_state = 'open' or (suspended_too and place_state = 'suspended'))
        then
          perform public.refuse_entry(place_state, place_epoch);
        end if;
        ignored := pg_catalog.set_config('app.tenant_id', wanted::pg_catalog.text, true);
      end $$`);
  }
}
