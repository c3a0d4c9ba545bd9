/** What a tenant consists of, read from the catalogs: every table with an `organization_id`, parents before children. */
import { StockyardError } from '#libs/kernel';
import type { ClientBase } from 'pg';

export interface TenantColumn {
  readonly name: string;
  /** As the catalog writes it, with its modifiers. */
  readonly type: string;
}

export interface TenantTable {
  readonly name: string;
  /** In the order of the table, without generated columns. */
  readonly columns: readonly TenantColumn[];
  readonly primaryKey: readonly string[];
  /** Where the table is partitioned: the column that decides on the partition of a row, and how long a partition is. */
  readonly partitionColumn: (TenantColumn & { readonly unit: 'month' | 'day' }) | null;
}

interface CatalogRow extends TenantTable {
  readonly references: readonly string[];
}

const CATALOG = `
  with tenant_tables as (
    select c.oid, c.relname from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition)
  select t.relname as name,
    (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
     from pg_attribute a where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
    (select json_agg(a.attname order by array_position(i.indkey::int2[], a.attnum)) from pg_index i
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey::int2[])
     where i.indrelid = t.oid and i.indisprimary) as "primaryKey",
    (select json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'unit', partition_unit(t.oid))
     from pg_partitioned_table p
     join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0] where p.partrelid = t.oid) as "partitionColumn",
    (select coalesce(json_agg(distinct r.relname), '[]') from pg_constraint k join tenant_tables r on r.oid = k.confrelid
     where k.conrelid = t.oid and k.contype = 'f' and k.confrelid <> t.oid) as "references"
  from tenant_tables t order by t.relname`;

/** Parents before children: rows are inserted in this order and deleted in the opposite one. */
export function inReferenceOrder<T extends { name: string; references: readonly string[] }>(tables: readonly T[]): T[] {
  const ordered: T[] = [];
  let waiting = [...tables];
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name));
    const free = waiting.filter(({ references }) => !references.some((name) => names.has(name)));
    if (free.length === 0) throw circularReferences([...names]);
    ordered.push(...free);
    waiting = waiting.filter((table) => !free.includes(table));
  }
  return ordered;
}

/** Every tenant table of the database. Throws `circular_references` (internal) where no order satisfies the foreign keys. */
export async function tenantTables(client: ClientBase): Promise<TenantTable[]> {
  const { rows } = await client.query<CatalogRow>(CATALOG);
  return inReferenceOrder(rows).map(({ name, columns, primaryKey, partitionColumn }) => ({
    name,
    columns,
    primaryKey,
    partitionColumn,
  }));
}

function circularReferences(names: readonly string[]): StockyardError {
  return new StockyardError({
    code: 'circular_references',
    category: 'internal',
    message: `The foreign keys of ${names.join(', ')} form a circle; make one of them deferrable and teach this code about it.`,
  });
}
