// The local stack from its first step to its last: start in order, watch, stop in the opposite order.
import { readdirSync } from 'node:fs';
import { endLeftBehind, withLogTail } from '#libs/local-stack';
import { applicationEnvironment, migrateEnvironment, type EnvironmentInput } from './environment';
import { apiClient } from './http-client';
import { LogFollower } from './log-follower';
import { logFiles, type LogFile } from './logs';
import { APPLICATIONS, type StackOptions } from './options';
import { requireRedis } from './own-redis';
import type { StackPart } from './part';
import { checkPorts, rememberPorts } from './ports';
import { startProgram } from './program';
import type { Progress } from './progress';
import { waitUntilReady } from './ready';
import { loadSecrets } from './secrets';
import { seedDemo } from './seed';
import { startServers } from './servers';
import { spreadBuckets } from './spread-buckets';
import { StackError } from './stack-error';
import { applicationUrl, removeStackFile, writeStackFile, type StackDescription } from './stack-file';
import type { StateDirectory } from './state-directory';

export interface StackInput {
  readonly options: StackOptions;
  readonly state: StateDirectory;
  readonly progress: Progress;
  readonly env: NodeJS.ProcessEnv;
  /** Root of the checkout. */
  readonly root: string;
  /** Whether the start is to be given up. */
  readonly cancelled: () => boolean;
}

/** States: new → starting → running → stopped. `stop` may be called once `start` settled, however it did. */
export class Stack {
  private readonly servers: StackPart[] = [];
  private readonly applications: StackPart[] = [];
  private readonly follower: LogFollower;
  private failed: (error: StackError) => void = () => undefined;
  private stopping = false;

  /** Rejected with a StackError when a process ends that should run; never fulfilled. */
  readonly broken = new Promise<never>((_, reject) => (this.failed = reject));

  constructor(private readonly input: StackInput) {
    this.follower = new LogFollower((line) => input.progress.line(line));
    this.broken.catch(() => undefined);
  }

  /** Rejects with a StackError or ServerError; what was started until then must be stopped. */
  async start(): Promise<StackDescription> {
    const { options, state, progress, env, cancelled } = this.input;
    await this.prepare();
    const ports = await checkPorts(options.ports);
    if (options.redisUrl !== undefined) await requireRedis(options.redisUrl);
    if (options.fresh) await progress.step('Deleting old data', () => state.removeData());
    const secrets = loadSecrets(state, env);
    const logFile = this.followed(logFiles(state));
    const servers = await startServers({
      options,
      state,
      progress,
      superuserPassword: secrets.DATABASE_SUPERUSER_PASSWORD,
      logFile,
      cancelled,
      started: (part) => this.add(this.servers, part),
    });
    rememberPorts(state, servers.ports);
    const storageDir = state.privateDirectory('files');
    const environment: EnvironmentInput = { base: env, secrets, servers, ports, storageDir };
    await this.step('Migrations', () => this.migrate(environment, logFile));
    if (options.databaseUrl === undefined) await spreadBuckets(servers);
    await this.step('Applications', () => this.startApplications(environment, logFile), 'Applications are ready');
    const seed = {
      call: apiClient(applicationUrl(ports.api)),
      adminToken: secrets.ADMIN_TOKEN,
      state,
      shards: servers.shards.map(({ name }) => name),
    };
    const organizations = await this.step('Demo organizations', () => seedDemo(seed));
    const parts = [...this.applications, ...this.servers];
    const description: StackDescription = { ports, servers, secrets, parts, organizations };
    writeStackFile(state, description);
    return description;
  }

  /** Applications first, then what they need; each gets time for an orderly end and is killed after it. */
  async stop(): Promise<void> {
    this.stopping = true;
    removeStackFile(this.input.state);
    await Promise.all(this.applications.map((part) => part.stop()));
    // The replica before its primary, which would wait for it.
    for (const part of this.servers.toReversed()) await part.stop();
    this.follower.stop();
  }

  // What a killed stack left behind still holds its ports.
  private async prepare(): Promise<void> {
    const { state } = this.input;
    removeStackFile(state);
    const run = state.privateDirectory('run');
    const records = readdirSync(run).filter((name) => name.endsWith('.pid.json'));
    await Promise.all(records.map((name) => endLeftBehind(state.file('run', name), 'SIGTERM')));
    await endLeftBehind(state.file('redis', 'redis.pid.json'), 'SIGTERM');
  }

  private async migrate(environment: EnvironmentInput, logFile: LogFile): Promise<void> {
    const part = await this.program('migrate', 'dist/tools/migrate/main.js', migrateEnvironment(environment), logFile);
    const cancel = setInterval(() => void (this.input.cancelled() && part.stop()), 100);
    const how = await part.ended.finally(() => clearInterval(cancel));
    if (how !== 'with code 0') throw new StackError(withLogTail(`The migration ended ${how}`, part.logFile, 25));
  }

  private async startApplications(environment: EnvironmentInput, logFile: LogFile): Promise<void> {
    for (const name of APPLICATIONS) {
      const env = applicationEnvironment(environment, name);
      this.add(this.applications, await this.program(name, `dist/apps/${name}/src/main.js`, env, logFile));
    }
    const ready = this.applications.map((part, index) => {
      const name = APPLICATIONS[index] ?? 'api';
      return waitUntilReady(part, applicationUrl(environment.ports[name]), this.input.cancelled);
    });
    await Promise.all(ready);
  }

  private program(name: string, entry: string, env: NodeJS.ProcessEnv, logFile: LogFile): Promise<StackPart> {
    const { root, state } = this.input;
    const pidFile = state.file('run', `${name}.pid.json`);
    return startProgram({ name, entry, root, env, logFile: logFile(name), pidFile });
  }

  private add(parts: StackPart[], part: StackPart): void {
    parts.push(part);
    void part.ended.then((how) => {
      if (this.stopping) return;
      if (part.replaceable) this.input.progress.line(`${part.name} ended ${how}: the stack goes on without it.`);
      else this.failed(new StackError(withLogTail(`${part.name} ended ${how}`, part.logFile, 25)));
    });
  }

  private step<T>(title: string, work: () => Promise<T>, done = title): Promise<T> {
    if (this.input.cancelled()) throw new StackError('Given up.');
    return this.input.progress.step(title, work, () => done);
  }

  private followed(logFile: LogFile): LogFile {
    if (!this.input.options.verbose) return logFile;
    return (name) => {
      const file = logFile(name);
      this.follower.follow(name, file);
      return file;
    };
  }
}
