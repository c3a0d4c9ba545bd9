/** The figures of a Redis' or Valkey's INFO that say how it is doing. */

const FIELDS = {
  memory: 'used_memory',
  memory_max: 'maxmemory',
  clients: 'connected_clients',
  clients_max: 'maxclients',
  evicted: 'evicted_keys',
  expired: 'expired_keys',
  hits: 'keyspace_hits',
  misses: 'keyspace_misses',
  refused: 'rejected_connections',
} as const;

export type RedisFigure = keyof typeof FIELDS;
export type RedisFigures = Readonly<Record<RedisFigure, number | null>>;

/** What a server does not say is null. */
export function redisFigures(info: string): RedisFigures {
  const said = new Map(
    info.split(/\r?\n/).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  );
  const figure = (field: string): number | null => {
    const text = said.get(field);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  return Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, figure(field)])) as RedisFigures;
}
