/** Three servers of a Redis and three Sentinels that choose the master among them, started as deploy/sentinel starts them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, OwnedProcess, waitFor } from '#libs/local-stack';
import { Redis } from 'ioredis';

const START = join(process.cwd(), 'deploy/sentinel/start.sh');
const HOST = '127.0.0.1';
const NAME = 'spec-queue';
const SERVERS = 3;
/** Such as they may be: what has to be escaped somewhere on the way. */
const PASSWORD = 'a b"c\\d@,e';
const SENTINEL_PASSWORD = 'of sentinels/?';

export interface SentinelsOptions {
  /** Silence after which a server counts as away. */
  readonly downAfterMs: number;
}

/** One of the servers, in a directory that it keeps over restarts. */
export class WatchedRedis {
  private process: OwnedProcess | undefined;

  constructor(
    private readonly role: 'redis' | 'sentinel',
    readonly port: number,
    private readonly dir: string,
    private readonly variables: Readonly<Record<string, string>>,
  ) {}

  async start(): Promise<void> {
    mkdirSync(this.dir, { recursive: true });
    this.process = await OwnedProcess.start({
      name: this.role,
      command: START,
      args: [this.role],
      env: { PATH: process.env.PATH, HOST, BIND: HOST, PORT: String(this.port), ...this.variables },
      cwd: this.dir,
      logFile: join(this.dir, 'log'),
      pidFile: join(this.dir, 'pid.json'),
      stopSignal: 'SIGTERM',
    });
    await waitFor(async () => (await this.call('ping')) === 'PONG', { what: `the ${this.role}`, intervalMs: 20 });
  }

  /** SIGKILL is a crash; SIGSTOP and SIGCONT freeze and thaw it. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.process?.kill(signal);
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }

  /** One command, on a connection of its own. */
  async call(command: string, ...args: readonly string[]): Promise<unknown> {
    const password = this.role === 'redis' ? PASSWORD : SENTINEL_PASSWORD;
    const options = { retryStrategy: () => null, enableReadyCheck: false, commandTimeout: 1_000 };
    const redis = new Redis({ host: HOST, port: this.port, password, ...options });
    redis.on('error', () => undefined);
    try {
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }
}

export class Sentinels {
  private constructor(
    private readonly dir: string,
    readonly servers: readonly WatchedRedis[],
    private readonly sentinels: readonly WatchedRedis[],
  ) {}

  static async start({ downAfterMs }: SentinelsOptions): Promise<Sentinels> {
    const dir = mkdtempSync(join(tmpdir(), 'stockyard-sentinel-'));
    const ports: number[] = [];
    while (ports.length < 2 * SERVERS) ports.push(await freePort());
    const variables = {
      ...{ MASTER_NAME: NAME, MASTER_HOST: HOST, MASTER_PORT: String(ports[0]), DOWN_AFTER_MS: String(downAfterMs) },
      ...{ REDIS_PASSWORD: PASSWORD, SENTINEL_PASSWORD },
    };
    const made = ports.map((port, index) => {
      const role = index < SERVERS ? 'redis' : 'sentinel';
      return new WatchedRedis(role, port, join(dir, `${role}-${index % SERVERS}`), variables);
    });
    const all = new Sentinels(dir, made.slice(0, SERVERS), made.slice(SERVERS));
    try {
      for (const servers of [all.servers, all.sentinels]) await Promise.all(servers.map((server) => server.start()));
      await all.settled();
      return all;
    } catch (error) {
      await all.remove();
      throw error;
    }
  }

  /** For REDIS_URL. */
  get url(): string {
    const hosts = this.sentinels.map(({ port }) => `${HOST}:${port}`).join(',');
    const secret = encodeURIComponent(SENTINEL_PASSWORD);
    return `redis+sentinel://:${encodeURIComponent(PASSWORD)}@${hosts}/${NAME}?sentinel_password=${secret}`;
  }

  /** The server that the Sentinels name. */
  async master(): Promise<WatchedRedis> {
    const [, port] = (await this.sentinels[0]!.call('sentinel', 'get-master-addr-by-name', NAME)) as string[];
    return this.servers.find((server) => server.port === Number(port))!;
  }

  /** Resolves when the master has both replicas, and every Sentinel knows of all servers and of the others. */
  async settled(): Promise<void> {
    const isSettled = async () => {
      const master = await this.master();
      const info = String(await master.call('info', 'replication'));
      const views = await Promise.all(this.sentinels.map((each) => each.call('sentinel', 'master', NAME)));
      return (
        (info.match(/state=online/g) ?? []).length === SERVERS - 1 &&
        views.every((view) => {
          const fields = view as string[];
          const field = (name: string) => fields[fields.indexOf(name) + 1];
          const counts = [field('num-slaves'), field('num-other-sentinels'), field('flags'), field('port')];
          return counts.join() === `${SERVERS - 1},${SERVERS - 1},master,${master.port}`;
        })
      );
    };
    await waitFor(isSettled, { what: 'the Sentinels to agree', timeoutMs: 60_000, intervalMs: 100 });
  }

  async remove(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.stop()));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
