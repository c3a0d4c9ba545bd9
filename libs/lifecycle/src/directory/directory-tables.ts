/** Tenant tables that are the directory's: on the shard they are copies, so an archive holds them with the organization. */
const DIRECTORY_TABLES: ReadonlySet<string> = new Set(['tenant_limits']);

export function isDirectoryTable(name: string): boolean {
  return DIRECTORY_TABLES.has(name);
}
