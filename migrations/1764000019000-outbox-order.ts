/** Outbox rows know their place among all rows of their shard, by which the relay keeps the order of events. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OutboxOrder1764000019000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A column with a default is added; the previous release names the columns that it writes and reads.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Without a cache: a number that is taken later is higher, whoever takes it.
      create sequence outbox_order;
      grant usage on sequence outbox_order to stockyard_app;

      -- 0 of the rows from before: the oldest, among each other by id. A constant, so that no row is rewritten.
      alter table outbox add column seq bigint not null default 0;
      alter table outbox alter column seq set default nextval('outbox_order');

      -- After the rows of a tenant have come from another shard, before its place opens: what it writes here is numbered above
      -- what of it still waits. The leap is wider than anything that others can take between the look and the leap, so the
      -- sequence never goes back; two that arrive at once queue up here.
      -- It looks as the tenant, since not even the owner sees rows past the wall.
      create function continue_outbox(arrived uuid) returns void language plpgsql security definer
        set search_path = pg_catalog, pg_temp as $$
      declare
        before text := coalesce(current_setting('app.tenant_id', true), '');
        newest bigint;
      begin
        perform pg_advisory_xact_lock(hashtext('outbox_order'));
        perform set_config('app.tenant_id', arrived::text, true);
        newest := (select max(o.seq) from public.outbox o where o.organization_id = arrived and o.published_at is null);
        perform set_config('app.tenant_id', before, true);
        if newest > (select last_value - case when is_called then 0 else 1 end from public.outbox_order) then
          perform setval('public.outbox_order', newest + 1000000);
        end if;
      end $$;
      revoke execute on function continue_outbox(uuid) from public;
      grant execute on function continue_outbox(uuid) to stockyard_mover;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function continue_outbox(uuid);
      alter table outbox drop column seq;
      drop sequence outbox_order;
    `);
  }
}
