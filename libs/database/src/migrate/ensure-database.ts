/** The database of a shard: made where it is missing, and its schema handed over to `stockyard_owner`. */
import { type Client, escapeIdentifier } from 'pg';

export async function ensureDatabase(client: Client, name: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
  if (!rowCount) await client.query(`create database ${escapeIdentifier(name)}`);
}

interface Standing {
  readonly grants: boolean;
  readonly closed: boolean;
  readonly owned: boolean;
  readonly superuser: boolean;
}

const STANDING = `
  select has_database_privilege('stockyard_owner', current_database(), 'create')
      and has_database_privilege('stockyard_owner', current_database(), 'connect')
      and has_database_privilege('stockyard_owner', current_database(), 'temporary') as grants,
    not has_schema_privilege('public', 'public', 'create') as closed,
    (select nspowner = 'stockyard_owner'::regrole from pg_namespace where nspname = 'public') as owned,
    (select rolsuper from pg_roles where rolname = current_user) as superuser`;

/** On a connection to the database itself. Changes only what is not so yet. */
export async function handOver(client: Client, name: string): Promise<void> {
  const { rows } = await client.query<Standing>(STANDING);
  const { grants, closed, owned, superuser } = rows[0]!;
  if (!grants) {
    await client.query(`grant create, connect, temporary on database ${escapeIdentifier(name)} to stockyard_owner`);
  }
  if (!closed) await client.query('revoke create on schema public from public');
  if (owned) return;
  // Who is no superuser may hand over only to a role it is a member of.
  if (!superuser) await client.query('grant stockyard_owner to current_user');
  await client.query('alter schema public owner to stockyard_owner');
}
