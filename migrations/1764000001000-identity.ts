/** Users, refresh tokens, API keys. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

const ROLE = "check (role in ('owner', 'admin', 'operator', 'viewer'))";

export class Identity1764000001000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Part of the first release: there is none before it.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table users (
        organization_id uuid not null,
        id uuid not null,
        email text not null check (email = lower(email) and length(email) <= 254),
        name text not null check (length(name) between 1 and 200),
        role text not null ${ROLE},
        password_hash text not null,
        state text not null default 'active' check (state in ('active', 'disabled')),
        version integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (organization_id, id),
        unique (organization_id, email));
      ${wallIn('users', 'select, insert, update, delete')}

      create table refresh_tokens (
        organization_id uuid not null,
        id uuid not null,
        user_id uuid not null,
        family_id uuid not null,
        token_hash bytea not null,
        expires_at timestamptz not null,
        used_at timestamptz,
        revoked_at timestamptz,
        created_at timestamptz not null default now(),
        primary key (organization_id, id),
        foreign key (organization_id, user_id) references users (organization_id, id) on delete cascade);
      create index on refresh_tokens (organization_id, family_id);
      create index on refresh_tokens (organization_id, user_id);
      ${wallIn('refresh_tokens', 'select, insert, update, delete')}

      create table api_keys (
        organization_id uuid not null,
        id uuid not null,
        name text not null check (length(name) between 1 and 200),
        secret_hash bytea not null,
        hint text not null,
        role text not null ${ROLE},
        scopes text[],
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz,
        created_by uuid,
        created_at timestamptz not null default now(),
        primary key (organization_id, id));
      ${wallIn('api_keys', 'select, insert, update')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table api_keys, refresh_tokens, users');
  }
}
