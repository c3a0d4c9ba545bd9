// A Redis Cluster on this machine: native servers of which each holds a part of the slots, for tests of what spans them.
import { connect } from 'node:net';
import { isPortFree, freePort } from './free-port';
import { type LocalRedis, startLocalRedis } from './local-redis';
import { ServerError } from './server-error';
import { waitFor } from './wait-for';

const SLOTS = 16_384;
/** Nodes talk to each other on their port and so much. */
const BUS_OFFSET = 10_000;
const HIGHEST_PORT = 65_535;

export interface RedisClusterOptions {
  /** Default 3, the fewest of which two can tell that the third is away. */
  readonly masters?: number;
  /** Replicas of each master. Default 0. */
  readonly replicas?: number;
  /** Silence after which a node counts as away, and a replica takes over. Default 1,000. */
  readonly nodeTimeoutMs?: number;
  /** More arguments for each server. */
  readonly args?: readonly string[];
}

export interface LocalRedisCluster {
  /** Masters first, then the replicas of each in turn; roles may change later. Each may be killed and started again. */
  readonly nodes: readonly LocalRedis[];
  /** Names every node: `redis://127.0.0.1:7001,127.0.0.1:7002,…`. */
  readonly url: string;
  /** The node that is the master of a key's slot at the moment. */
  nodeOfKey(key: string): Promise<LocalRedis>;
  /** Resolves when every node that runs says that all slots are served, by nodes that run, and replicas have caught up. */
  settled(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts the nodes and assigns the slots evenly. Rejects with a ServerError; then nothing is left running. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<LocalRedisCluster> {
  const { masters = 3, replicas = 0, nodeTimeoutMs = 1_000, args = [] } = options;
  if (masters < 3) throw new RangeError('A cluster has at least three masters.');
  const nodes: LocalRedis[] = [];
  const cluster = new RunningCluster(nodes);
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': nodeTimeoutMs,
    'repl-diskless-sync-delay': 0, // a replica that has not synchronized yet cannot take over
  };
  const clusterArgs = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  try {
    for (let index = 0; index < masters * (1 + replicas); index += 1) {
      const port = await portWithBus();
      nodes.push(await startLocalRedis({ flavour: 'native', port, args: [...clusterArgs, ...args] }));
    }
    await assign(nodes, masters);
    await cluster.settled();
    return cluster;
  } catch (error) {
    await cluster.remove();
    throw new ServerError(`The Redis Cluster did not come up: ${(error as Error).message}`, { cause: error });
  }
}

/** A free port of which the one for the bus is free too. */
async function portWithBus(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const found = await freePort();
    // The ephemeral range reaches above the highest port that has room for a bus.
    const port = found + BUS_OFFSET > HIGHEST_PORT ? found - 2 * BUS_OFFSET : found;
    if ((await isPortFree(port)) && (await isPortFree(port + BUS_OFFSET))) return port;
  }
  throw new ServerError('No port is free together with the one 10,000 above it.');
}

async function assign(nodes: readonly LocalRedis[], masters: number): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    await command(node.port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    if (index >= masters) continue;
    const [first, next] = [index, index + 1].map((part) => Math.floor((part * SLOTS) / masters)) as [number, number];
    await command(node.port, 'CLUSTER', 'ADDSLOTSRANGE', String(first), String(next - 1));
  }
  for (const node of nodes.slice(1)) await command(node.port, 'CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]!.port));
  for (const [index, node] of nodes.slice(masters).entries()) {
    const master = await command(nodes[index % masters]!.port, 'CLUSTER', 'MYID');
    const follow = () => command(node.port, 'CLUSTER', 'REPLICATE', master).then(() => true); // once it has heard of it
    await waitFor(follow, { what: 'a replica to know its master', timeoutMs: 30_000, intervalMs: 50 });
  }
}

class RunningCluster implements LocalRedisCluster {
  constructor(readonly nodes: readonly LocalRedis[]) {}

  get url(): string {
    return `redis://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  async nodeOfKey(key: string): Promise<LocalRedis> {
    const asked = this.running[0];
    if (!asked) throw new ServerError('No node of the cluster runs.');
    const slot = Number(await command(asked.port, 'CLUSTER', 'KEYSLOT', key));
    const master = servingMasters(await command(asked.port, 'CLUSTER', 'NODES')).find(({ ranges }) =>
      ranges.some(([first, last]) => first <= slot && slot <= last),
    );
    const node = this.nodes.find((one) => one.port === master?.port);
    if (!node) throw new ServerError(`No node of the cluster serves slot ${slot}.`);
    return node;
  }

  async settled(): Promise<void> {
    const known = this.nodes.length;
    const serves = async ({ port }: LocalRedis): Promise<boolean> => {
      const info = await command(port, 'CLUSTER', 'INFO');
      const masters = servingMasters(await command(port, 'CLUSTER', 'NODES'));
      return (
        info.includes('cluster_state:ok') &&
        info.includes(`cluster_slots_ok:${SLOTS}`) &&
        info.includes(`cluster_known_nodes:${known}`) &&
        masters.every((master) => this.running.some((node) => node.port === master.port)) &&
        !(await command(port, 'INFO', 'replication')).includes('master_link_status:down')
      );
    };
    const all = async () => (await Promise.all(this.running.map(serves))).every(Boolean);
    await waitFor(all, { what: 'the slots to be served', timeoutMs: 60_000, intervalMs: 50 });
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
  }

  private get running(): LocalRedis[] {
    return this.nodes.filter(({ running }) => running);
  }
}

interface ServingMaster {
  readonly port: number;
  readonly ranges: readonly (readonly [first: number, last: number])[];
}

/** From the lines of CLUSTER NODES: `id ip:port@bus flags … ranges`. */
function servingMasters(lines: string): ServingMaster[] {
  return lines.split('\n').flatMap((line) => {
    const [, address = '', flags = '', ...rest] = line.split(' ');
    const ranges = rest.slice(5).map((range) => {
      const [first, last = first] = range.split('-').map(Number);
      return [first!, last!] as const;
    });
    const serves = /\bmaster\b/.test(flags) && ranges.length > 0;
    return serves ? [{ port: Number(/:(\d+)@/.exec(address)?.[1]), ranges }] : [];
  });
}

/** One command, without a client library; rejects for an error and where nothing comes within a second. */
function command(port: number, ...words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    const settle = (error?: Error) => {
      socket.destroy();
      if (error) reject(error);
      else resolve(answer);
    };
    socket.setTimeout(1_000, () => settle(new Error(`no answer to ${words[0]!}`)));
    socket.once('error', settle);
    socket.once('close', () => settle(new Error('connection closed')));
    socket.on('data', (data) => {
      answer += data.toString();
      const [, kind, line] = /^([+:$-])([^\r]*)\r\n/.exec(answer) ?? [];
      if (kind === '-') settle(new Error(line));
      else if (kind === '+' || kind === ':') {
        answer = line!;
        settle();
      } else if (kind === '$') {
        const begin = line!.length + 3;
        if (answer.length < begin + Number(line) + 2) return;
        answer = answer.slice(begin, begin + Number(line));
        settle();
      }
    });
    socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`);
  });
}
