// A cluster of local Postgres servers: whichever holds the newest history is the primary, the others follow it.
import { join } from 'node:path';
import { isMade, isStandby, newestTimeline } from './data-directory';
import { startLocalPostgres, type LocalPostgres } from './local-postgres';
import { startLocalReplica, type LocalPostgresReplica } from './local-postgres-replica';
import { placeUnderTmp } from './reachable-place';
import type { Notice } from './unprivileged-user';

export interface LocalNodeOptions {
  /** Tells the nodes of a cluster apart; also the name of its replication slot: a-z, 0-9 and underscores. */
  readonly name: string;
  /** Default: a temporary directory. */
  readonly dataDir?: string;
  readonly port?: number;
  readonly logFile?: string;
}

export interface LocalClusterOptions {
  /** Of the superuser "postgres". */
  readonly password: string;
  /** At a first start the first one is the primary; later it may be any, after promotions. */
  readonly nodes: readonly LocalNodeOptions[];
  readonly throwaway?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  readonly notice?: Notice;
  /** Called as soon as a node runs, so that it can be stopped even when a later one fails. */
  readonly started?: (name: string, server: LocalPostgres) => void;
  /** Called when the primary runs, before it is copied. */
  readonly prepare?: (primary: LocalPostgres) => Promise<unknown>;
}

export interface LocalCluster {
  readonly primary: LocalPostgres;
  readonly standbys: readonly LocalPostgresReplica[];
  /** In the order of the options, whatever their roles are. */
  readonly nodes: readonly LocalPostgres[];
}

/** Rejects with a ServerError; nodes that were started until then run on, see `started`. */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { nodes, password, notice, started, prepare, throwaway = false, settings = {} } = options;
  const first = nodes[newestPrimary(nodes)];
  if (first === undefined) throw new RangeError('A cluster has at least one node.');
  const shared = { throwaway, settings, ...(notice === undefined ? {} : { notice }) };
  const primary = await startLocalPostgres({ ...first, ...shared, password });
  started?.(first.name, primary);
  await prepare?.(primary);
  const standbys: LocalPostgresReplica[] = [];
  const byName = new Map<string, LocalPostgres>([[first.name, primary]]);
  for (const node of nodes) {
    if (node === first) continue;
    const standby = await startLocalReplica(primary, { ...node, ...shared });
    started?.(node.name, standby);
    standbys.push(standby);
    byName.set(node.name, standby);
  }
  return { primary, standbys, nodes: nodes.flatMap(({ name }) => byName.get(name) ?? []) };
}

// Two primaries are left when one was promoted and the other not brought back: the later timeline won.
function newestPrimary(nodes: readonly LocalNodeOptions[]): number {
  const timelines = nodes.map(({ dataDir }) => {
    if (dataDir === undefined) return 0;
    const places = [dataDir, join(placeUnderTmp(dataDir), 'data')];
    const place = places.find((path) => isMade(path) && !isStandby(path));
    return place === undefined ? 0 : newestTimeline(place);
  });
  return timelines.indexOf(Math.max(...timelines));
}
