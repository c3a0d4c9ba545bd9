/**
 * Reads the wall between tenants out of the system catalogs: what must hold of roles, policies, keys and grants.
 * Used by the guard at boot and by the tests. A tenant table is any table or partition with `organization_id`.
 */

export interface WallViolation {
  /** Table, role or constraint at fault. */
  readonly subject: string;
  readonly problem: string;
}

export interface Queryable {
  query(sql: string): Promise<{ rows: unknown[] }>;
}

const SERVING_ROLES =
  "('stockyard_app', 'stockyard_relay', 'stockyard_control', 'stockyard_monitor', 'stockyard_mover')";
const TENANT_TABLES = `
  select c.oid, c.relname, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relowner
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
  where n.nspname = 'public' and c.relkind in ('r', 'p')`;

/** Each query answers rows of (subject, problem); no row means that the rule holds. */
const RULES: readonly string[] = [
  `select rolname as subject, 'has SUPERUSER, BYPASSRLS, CREATEROLE or CREATEDB' as problem from pg_roles
   where rolname in ${SERVING_ROLES} and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)`,
  `select r.rolname as subject, 'is a member of ' || o.rolname as problem
   from pg_auth_members m join pg_roles r on r.oid = m.member join pg_roles o on o.oid = m.roleid
   where r.rolname in ${SERVING_ROLES}`,
  `select c.relname as subject, 'is owned by the serving role ' || r.rolname as problem
   from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname in ${SERVING_ROLES}`,
  `select relname as subject, 'row-level security is not enabled and forced' as problem
   from (${TENANT_TABLES}) t where not (relrowsecurity and relforcerowsecurity)`,
  `select relname as subject, 'has no tenant policy for stockyard_app' as problem from (${TENANT_TABLES}) t
   where not exists (select from pg_policy p where p.polrelid = t.oid and p.polcmd = '*' and p.polpermissive
     and pg_get_expr(p.polqual, p.polrelid) like '%app.tenant_id%'
     and pg_get_expr(p.polwithcheck, p.polrelid) like '%app.tenant_id%')`,
  `select t.relname as subject, 'policy ' || p.polname || ' lets stockyard_app pass without its tenant' as problem
   from (${TENANT_TABLES}) t join pg_policy p on p.polrelid = t.oid and p.polpermissive
   where (p.polroles = '{0}' or exists (select from pg_roles r where r.oid = any (p.polroles) and r.rolname = 'stockyard_app'))
     and coalesce(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) not like '%app.tenant_id%'`,
  `select relname as subject, 'primary key does not begin with organization_id' as problem from (${TENANT_TABLES}) t
   where not exists (select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where i.indrelid = t.oid and i.indisprimary and a.attname = 'organization_id')`,
  `select t.relname as subject, 'unique index ' || ic.relname || ' does not carry organization_id' as problem
   from (${TENANT_TABLES}) t join pg_index i on i.indrelid = t.oid and i.indisunique join pg_class ic on ic.oid = i.indexrelid
   where not exists (select from pg_attribute a where a.attrelid = i.indrelid and a.attname = 'organization_id'
     and a.attnum = any (i.indkey::int2[]))`,
  `select t.relname as subject, 'foreign key ' || k.conname || ' does not carry organization_id' as problem
   from (${TENANT_TABLES}) t join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
   where exists (select from (${TENANT_TABLES}) f where f.oid = k.confrelid)
     and not exists (select from unnest(k.conkey, k.confkey) as pair (own, other)
       join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.own and a.attname = 'organization_id'
       join pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.other and b.attname = 'organization_id')`,
  `select t.relname as subject, 'partition is granted to ' || g.grantee as problem
   from (${TENANT_TABLES}) t join information_schema.role_table_grants g
     on g.table_schema = 'public' and g.table_name = t.relname and g.grantee in ${SERVING_ROLES} where t.relispartition`,
  `select t.relname as subject, g.privilege_type || ' is granted to ' || g.grantee as problem
   from (${TENANT_TABLES}) t join information_schema.role_table_grants g
     on g.table_schema = 'public' and g.table_name = t.relname
   where g.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER') and g.grantee in ${SERVING_ROLES}`,
  `select c.relname as subject, 'view without security_invoker' as problem
   from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = 'public' and c.relkind = 'v' and not coalesce(c.reloptions @> '{security_invoker=true}', false)`,
  `select c.relname as subject, 'materialized views have no policies' as problem
   from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind = 'm'`,
  `select 'public' as subject, 'no tenant table is present: the database is not migrated' as problem
   where not exists (${TENANT_TABLES})`,
];

/** Everything that breaks the wall; empty when it stands. */
export async function checkWall(database: Queryable): Promise<WallViolation[]> {
  const found: WallViolation[] = [];
  for (const rule of RULES) found.push(...((await database.query(rule)).rows as WallViolation[]));
  return found;
}
