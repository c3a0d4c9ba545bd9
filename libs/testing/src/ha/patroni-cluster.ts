/**
 * A shard of three Postgres under Patroni with an etcd, from the configuration of deploy/patroni but for its times, which are shortened.
 * An environment for the platform's processes, whose DATABASE_URL names them all.
 */
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AppConfig, loadConfig } from '#libs/config';
import { migrate } from '#libs/database';
import { freePort, OwnedProcess, unprivilegedUser, waitFor } from '#libs/local-stack';
import { MIGRATIONS } from '#migrations';
import { commonVariables, connectedAs, type TestEnvironment } from '../environment/test-environment';
import { queryAt } from '../environment/test-databases';
import { OLDEST_POSTGRES } from '../jest/required-programs';
import { PatroniNode } from './patroni-node';

const CONFIGURATION = join(process.cwd(), 'deploy/patroni/patroni.yml');
/** Seconds, in place of those of production. */
const TIMES = { ttl: 8, loop_wait: 1, retry_timeout: 3 };
const PASSWORD = 'test-superuser';
const NODES = ['one', 'two', 'three'];
const HOST = '127.0.0.1';
const PATIENCE_MS = 90_000;

export interface PatroniMember {
  readonly name: string;
  readonly role: 'leader' | 'sync_standby' | 'replica';
  readonly state: string;
  readonly timeline?: number | string;
}

export class PatroniCluster {
  private constructor(
    private readonly dir: string,
    private readonly etcd: OwnedProcess,
    readonly nodes: readonly PatroniNode[],
  ) {}

  static async start(): Promise<PatroniCluster> {
    const dir = mkdtempSync(join(tmpdir(), 'stockyard-patroni-'));
    const user = unprivilegedUser();
    if (user) chownSync(dir, user.uid, user.gid);
    const configuration = join(dir, 'patroni.yml');
    writeFileSync(configuration, shortened(readFileSync(CONFIGURATION, 'utf8')));
    const etcdPort = await freePort();
    const etcd = await startEtcd(dir, etcdPort);
    const nodes = [];
    for (const name of NODES) {
      const [restPort, port] = [await freePort(), await freePort()];
      const place = { dir: join(dir, name), binDir: OLDEST_POSTGRES, configuration, user };
      nodes.push(new PatroniNode({ name, etcdPort, restPort, port, password: PASSWORD, ...place }));
    }
    const cluster = new PatroniCluster(dir, etcd, nodes);
    try {
      for (const node of nodes) await node.start();
      await cluster.settled();
      await cluster.migrate();
      return cluster;
    } catch (error) {
      await cluster.remove();
      throw error;
    }
  }

  /** Of all hosts; as the superuser. */
  get url(): string {
    return `postgres://postgres:${PASSWORD}@${this.nodes.map(({ port }) => `${HOST}:${port}`).join(',')}/stockyard`;
  }

  urlOf({ port }: PatroniNode): string {
    return `postgres://postgres:${PASSWORD}@${HOST}:${port}/stockyard`;
  }

  /** Rows of one statement as superuser on one node. */
  queryAt<Row>(node: PatroniNode, sql: string, values?: readonly unknown[]): Promise<Row[]> {
    return queryAt<Row>(this.urlOf(node), sql, values);
  }

  /** As a Patroni that answers sees them. */
  async members(): Promise<PatroniMember[]> {
    const asked = this.nodes.map(async ({ restUrl }) => {
      const answer = await fetch(`${restUrl}/cluster`, { signal: AbortSignal.timeout(3_000) });
      return ((await answer.json()) as { members: PatroniMember[] }).members;
    });
    return Promise.any(asked);
  }

  /** Resolves with the leader when all others follow it on its timeline, one of them as its synchronous standby. */
  async settled(): Promise<PatroniNode> {
    return waitFor(
      async () => {
        const members = await this.members();
        const leader = members.find(({ role }) => role === 'leader');
        const follow = members.filter(
          ({ state, timeline }) => /running|streaming/.test(state) && timeline === leader?.timeline,
        );
        const agree = follow.length === NODES.length && members.some(({ role }) => role === 'sync_standby');
        return leader && agree && this.nodes.find(({ name }) => name === leader.name);
      },
      { what: 'a leader with a synchronous standby', timeoutMs: PATIENCE_MS, intervalMs: 100 },
    );
  }

  /** The planned way, as `patronictl switchover` asks for it. */
  async switchOver(leader: PatroniNode): Promise<void> {
    const answer = await fetch(`${leader.restUrl}/switchover`, {
      method: 'POST',
      body: JSON.stringify({ leader: leader.name }),
    });
    if (!answer.ok) throw new Error(`No switchover: ${await answer.text()}`);
  }

  /** What the platform's processes are given; it is disposed of with the cluster. */
  environment(): TestEnvironment {
    const common = commonVariables(`test_${randomBytes(6).toString('hex')}`);
    const variables = { ...common.variables, DATABASE_URL: this.url };
    const config: AppConfig = loadConfig(variables);
    const leader = async () => this.urlOf(await this.settled());
    const query = async <Row>(sql: string, values?: readonly unknown[]) => queryAt<Row>(await leader(), sql, values);
    const adminUrl = this.urlOf(this.nodes[0]!);
    return {
      ...{ config, variables, adminUrl, query },
      shards: [{ name: 'main', adminUrl, query }],
      connectAs: async (role, url) => connectedAs(config, role, url ?? (await leader())),
      dispose: () => {
        common.dispose();
        return Promise.resolve();
      },
    };
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.etcd.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async migrate(): Promise<void> {
    await migrate({ config: loadConfig({ DATABASE_URL: this.url }), migrations: MIGRATIONS });
  }
}

function shortened(configuration: string): string {
  return Object.entries(TIMES).reduce((text, [name, seconds]) => {
    const line = new RegExp(`^( +${name}:) \\d+$`, 'm');
    if (!line.test(text)) throw new Error(`deploy/patroni/patroni.yml says no ${name}.`);
    return text.replace(line, `$1 ${seconds}`);
  }, configuration);
}

async function startEtcd(dir: string, port: number): Promise<OwnedProcess> {
  const [client, peer] = [`http://${HOST}:${port}`, `http://${HOST}:${await freePort()}`];
  const options = {
    ...{ 'data-dir': join(dir, 'etcd'), 'listen-client-urls': client, 'advertise-client-urls': client },
    ...{ 'listen-peer-urls': peer, 'initial-advertise-peer-urls': peer, 'initial-cluster': `default=${peer}` },
  };
  return OwnedProcess.start({
    name: 'etcd',
    command: 'etcd',
    args: [...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]), '--unsafe-no-fsync'],
    logFile: join(dir, 'etcd.log'),
    pidFile: join(dir, 'etcd.pid.json'),
    stopSignal: 'SIGTERM',
  });
}
