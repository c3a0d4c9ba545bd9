/** Connections: where an organization's stock is pulled from, how far it has come, and the breaker that all workers share. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

export class Connections1764000017000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A table and columns with defaults are added; no statement of it names all columns of the limits.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table connections (
        organization_id uuid not null,
        id uuid not null,
        name text not null check (length(name) between 1 and 100),
        url text not null check (length(url) between 1 and 2048),
        -- Code of the location that a row without one means; null: the organization's default one.
        location text check (length(location) between 1 and 64),
        has_bearer_token boolean not null default false,
        header_names text[] not null default '{}',
        -- Sealed, with the id of the key: { bearer_token, headers }.
        credentials text check (length(credentials) <= 131072),
        credentials_key text,
        state text not null default 'active' check (state in ('active', 'paused')),
        -- Where the outside system goes on; null: from the beginning.
        cursor text check (length(cursor) <= 2048),
        breaker_state text not null default 'closed' check (breaker_state in ('closed', 'open', 'half_open')),
        -- In a row, since the last page that was taken in.
        breaker_failures integer not null default 0 check (breaker_failures >= 0),
        -- How often it was opened since then: what the pause grows by.
        breaker_openings integer not null default 0 check (breaker_openings >= 0),
        -- Open: when it is tried again. Half-open: when a trial that says nothing counts as lost.
        breaker_retry_at timestamptz,
        -- The job that tries.
        breaker_trial uuid,
        last_job_id uuid,
        last_success_at timestamptz,
        last_failure_at timestamptz,
        last_failure_code text,
        last_failure_message text,
        -- Counts what runs write: each of them names the one that it has read.
        revision bigint not null default 0,
        -- Of what its tenant changes; runs leave it alone.
        version integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (organization_id, id),
        unique (organization_id, name),
        check ((credentials is null) = (credentials_key is null)),
        check ((breaker_state = 'closed') = (breaker_retry_at is null)),
        check ((breaker_state = 'half_open') = (breaker_trial is not null)));
      create index connections_by_breaker on connections (breaker_state) where breaker_state <> 'closed';
      ${wallIn('connections', 'select, insert, update, delete')}

      -- Operators see how many breakers are open, and nothing else.
      create policy totals on connections for select to stockyard_owner using (true);
      create function connection_breakers(out state text, out connections bigint) returns setof record
        language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
        select c.breaker_state, count(*) from public.connections c where c.breaker_state <> 'closed' group by c.breaker_state
      $$;
      revoke execute on function connection_breakers() from public;
      grant execute on function connection_breakers() to stockyard_monitor;

      alter table tenant_limits add column max_sync_connections integer check (max_sync_connections > 0);
      alter table tier_limits add column max_sync_connections integer not null default 1;
      update tier_limits t set max_sync_connections = v.connections from (values
        ('free', 2), ('starter', 5), ('professional', 25), ('enterprise', 200)
      ) v (tier, connections) where v.tier = t.tier;
      alter table tier_limits alter column max_sync_connections drop default;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tier_limits drop column max_sync_connections;
      alter table tenant_limits drop column max_sync_connections;
      drop function connection_breakers();
      drop table connections`);
  }
}
