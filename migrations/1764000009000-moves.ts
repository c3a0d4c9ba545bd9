/** What the move of a tenant needs on both shards: a publication of its rows, and its position. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Moves1764000009000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A table and functions are added; no statement of the previous release changes.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- On the target: who moves a tenant in, and up to where in the source's log its changes are applied. No tenant table:
      -- nothing of a tenant stands in it. A process that takes a move over puts its own run in, and the former one's next
      -- transaction finds itself overtaken. position is null until the copy is whole.
      create table tenant_moves (
        tenant uuid primary key,
        run uuid not null,
        position pg_lsn,
        updated_at timestamptz not null default now());
      grant select, insert, update, delete on tenant_moves to stockyard_mover;
      -- A move that is rolled back takes the place on its target away again.
      grant delete on tenant_places to stockyard_mover;

      -- The tables whose rows go with a tenant: every tenant table but tenant_limits, whose overrides are the directory's.
      create function moved_tables() returns setof regclass language sql stable
        begin atomic
          select c.oid::regclass from pg_class c join pg_attribute a on a.attrelid = c.oid
          where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and a.attname = 'organization_id' and not a.attisdropped and c.relname <> 'tenant_limits'
          order by c.relname;
        end;

      create function tenant_publication(wanted uuid) returns text language sql immutable strict
        return 'stockyard_move_' || replace(wanted::text, '-', '');

      -- Only the owner of a table may publish it. Made anew at each call, so that tables of a newer schema are in.
      create function publish_tenant(wanted uuid) returns void language plpgsql security definer
        set search_path = public, pg_temp set lock_timeout = '5s' as $$
      begin
        execute format('drop publication if exists %I', tenant_publication(wanted));
        execute format('create publication %I for table %s with (publish = ''insert, update, delete'', publish_via_partition_root = true)',
          tenant_publication(wanted),
          (select string_agg(format('%s where (organization_id = %L::uuid)', moved, wanted), ', ') from moved_tables() moved));
      end $$;

      create function unpublish_tenant(wanted uuid) returns void language plpgsql security definer
        set search_path = public, pg_temp set lock_timeout = '5s' as $$
      begin
        execute format('drop publication if exists %I', tenant_publication(wanted));
      end $$;

      revoke execute on function publish_tenant(uuid), unpublish_tenant(uuid) from public;
      grant execute on function publish_tenant(uuid), unpublish_tenant(uuid) to stockyard_mover;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function unpublish_tenant(uuid), publish_tenant(uuid), tenant_publication(uuid),
        moved_tables();
      revoke delete on tenant_places from stockyard_mover;
      drop table tenant_moves;
    `);
  }
}
