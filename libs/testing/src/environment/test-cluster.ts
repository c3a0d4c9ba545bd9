/**
 * An environment with Postgres clusters of its own, for specs that stop, kill, promote or fill up servers. Its URLs lead
 * straight to the servers; Redis is the shared one.
 */
import { randomBytes } from 'node:crypto';
import { loadConfig } from '#libs/config';
import { migrate } from '#libs/database';
import { type LocalPostgres, LocalPostgresReplica, rejoinAsReplica, startLocalCluster } from '#libs/local-stack';
import { MIGRATIONS } from '#migrations';
import {
  commonVariables,
  connectedAs,
  shardNames,
  shardVariables,
  type TestEnvironment,
  type TestShard,
} from './test-environment';

export interface TestClusterOptions {
  /** Standbys of each shard that DATABASE_URL or DATABASE_SHARDS names as hosts: they may become primaries. Default 1. */
  readonly standbys?: number;
  /** Standbys of each shard that are named as replicas: they serve reads only. Default 0. */
  readonly replicas?: number;
  /** Clusters beside each other. Default 1. */
  readonly shards?: number;
  /** Of the environment's variables. */
  readonly overrides?: Readonly<Record<string, string>>;
}

export interface TestCluster extends TestEnvironment {
  readonly shards: readonly TestClusterShard[];
  /** In the place of the home shard's first primary. */
  readonly primary: LocalPostgres;
  /** The home shard's, in the order of DATABASE_URL's hosts. */
  readonly standbys: readonly LocalPostgresReplica[];
}

const PASSWORD = 'test-superuser';
const DATABASE = 'stockyard';
// Says nothing on a standby, and on a primary which timeline it writes.
const WRITES = 'select left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) as timeline where not pg_is_in_recovery()';

/** One shard's servers. Positions are fixed: whatever is promoted or brought back, `nodes[0]` is the first primary's place. */
export class TestClusterShard implements TestShard {
  constructor(
    readonly name: string,
    readonly nodes: LocalPostgres[],
    private readonly standbyCount: number,
  ) {}

  /** In the place of the first primary. */
  get primary(): LocalPostgres {
    return this.nodes[0]!;
  }

  get standbys(): readonly LocalPostgresReplica[] {
    return this.nodes.slice(1, 1 + this.standbyCount) as LocalPostgresReplica[];
  }

  get replicas(): readonly LocalPostgresReplica[] {
    return this.nodes.slice(1 + this.standbyCount) as LocalPostgresReplica[];
  }

  /** Superuser on the database in the first primary's place. */
  get adminUrl(): string {
    return this.urlOf(this.primary);
  }

  /** Every host that may be primary, in one URL. */
  get hostsUrl(): string {
    const more = this.standbys.map(({ port }) => `,127.0.0.1:${port}`).join('');
    return this.urlOf(this.primary).replace(/:(\d+)\//, `:$1${more}/`);
  }

  urlOf(node: LocalPostgres): string {
    return node.url({ database: DATABASE });
  }

  /** The node that takes writes; of two, the one with the later timeline. Rejects when there is none. */
  async writer(): Promise<LocalPostgres> {
    const found = await Promise.all(
      this.nodes.map(async (node) => {
        const rows = node.running ? await node.query<{ timeline: string }>(WRITES).catch(() => []) : [];
        return rows.map(({ timeline }) => ({ node, timeline }));
      }),
    );
    const [newest] = found.flat().sort((a, b) => b.timeline.localeCompare(a.timeline));
    if (newest === undefined) throw new Error(`No node of shard ${this.name} takes writes.`);
    return newest.node;
  }

  /** Rows of one statement as superuser, at the node that takes writes. */
  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const rows: unknown = await (await this.writer()).query(sql, values, DATABASE);
    return rows as Row[];
  }

  /** Brings every other node back behind the one that takes writes, as its standby. */
  async rejoin(): Promise<void> {
    const writer = await this.writer();
    for (const [index, node] of this.nodes.entries()) {
      if (node === writer) continue;
      if (node instanceof LocalPostgresReplica) await node.follow(writer);
      else this.nodes[index] = await rejoinAsReplica(node, writer, { name: `node_${index}` });
    }
  }

  async remove(): Promise<void> {
    for (const node of this.nodes.toReversed()) await node.remove();
  }
}

async function startShard(name: string, standbys: number, replicas: number): Promise<TestClusterShard> {
  const nodes: LocalPostgres[] = [];
  const shard = new TestClusterShard(name, nodes, standbys);
  try {
    await startLocalCluster({
      password: PASSWORD,
      throwaway: true,
      nodes: Array.from({ length: 1 + standbys + replicas }, (_, index) => ({ name: `node_${index}` })),
      started: (_, server) => void nodes.push(server),
      prepare: (primary) =>
        migrate({ config: loadConfig({ DATABASE_URL: shard.urlOf(primary) }), migrations: MIGRATIONS }),
    });
    return shard;
  } catch (error) {
    await shard.remove();
    throw error;
  }
}

export async function createTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { standbys = 1, replicas = 0, shards: count = 1, overrides = {} } = options;
  const starts = shardNames(count).map((name) => startShard(name, standbys, replicas));
  const results = await Promise.allSettled(starts);
  const shards = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const removeAll = () => Promise.all(shards.map((shard) => shard.remove()));
  for (const result of results)
    if (result.status === 'rejected') {
      await removeAll();
      throw result.reason;
    }
  const common = commonVariables(`test_${randomBytes(6).toString('hex')}`);
  const urls = shards.map((shard) => ({
    name: shard.name,
    url: shard.hostsUrl,
    replicaUrls: shard.replicas.map((node) => shard.urlOf(node)),
  }));
  const variables = { ...common.variables, ...shardVariables(urls), ...overrides };
  const config = loadConfig(variables);
  const home = shards[0]!;
  return {
    config,
    variables,
    shards,
    get primary() {
      return home.primary;
    },
    get standbys() {
      return home.standbys;
    },
    adminUrl: home.adminUrl,
    query: (sql, values) => home.query(sql, values),
    connectAs: async (role, url) => connectedAs(config, role, url ?? home.urlOf(await home.writer())),
    dispose: async () => {
      common.dispose();
      await removeAll();
    },
  };
}
