/** SQL that every tenant table ships with: forced row-level security, its policy and its grants. */

const TENANT = "organization_id = nullif((select current_setting('app.tenant_id', true)), '')::uuid";

/**
 * Statements that wall a table in. `grants` is what stockyard_app may do, such as 'select, insert'. stockyard_mover, which
 * takes tenants from shard to shard behind the same wall, may do everything to the rows of the tenant it has set.
 * On a partitioned parent the partitions get theirs from make_month_partition().
 */
export function wallIn(table: string, grants: string): string {
  return `
    alter table ${table} enable row level security;
    alter table ${table} force row level security;
    create policy tenant on ${table} using (${TENANT}) with check (${TENANT});
    grant ${grants} on ${table} to stockyard_app;
    grant select, insert, update, delete on ${table} to stockyard_mover;`;
}
