/**
 * A process of its own that takes slots of tenants as fast as it gets them. What runs at the same time in all processes is
 * counted at the witness, a Redis that is never taken away: for each tenant the greatest number ever seen.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { newId } from '#libs/kernel';
import type { Redis } from 'ioredis';

const ROOT = join(__dirname, '../../..');

/** KEYS[1] process → running; KEYS[2] greatest sum; KEYS[3] process → takes. ARGV: process, +1 or -1. Reply: greatest sum. */
const COUNT = `
  redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2])
  local sum = 0
  for _, running in ipairs(redis.call('HVALS', KEYS[1])) do sum = sum + tonumber(running) end
  if sum > tonumber(redis.call('GET', KEYS[2]) or 0) then redis.call('SET', KEYS[2], sum) end
  if ARGV[2] == '1' then redis.call('HINCRBY', KEYS[3], ARGV[1], 1) end`;

const PROGRAM = `
  const { Redis } = require('ioredis');
  const { RedisTenantShare } = require('./dist/libs/coordination/src');
  const { redisOptions } = require('./dist/libs/redis/src');
  const { createInterface } = require('node:readline');
  const { setTimeout: pause } = require('node:timers/promises');
  const { name, url, witnessUrl, prefix, tenants, workers, rounds, commandTimeout, count } = JSON.parse(process.argv[1]);
  const witness = new Redis(witnessUrl);
  witness.defineCommand('count', { numberOfKeys: 3, lua: count });
  const redis = new Redis(url, { ...redisOptions('fast'), commandTimeout });
  redis.on('error', () => undefined);
  const share = new RedisTenantShare(redis, { REDIS_KEY_PREFIX: prefix, DATABASE_TENANT_WAIT_MS: 60000, DATABASE_POOL_SIZE: 1000 });
  share.onModuleInit();
  const limits = new Map(tenants);
  let stopped = false;
  const worker = async (tenant) => {
    const keys = ['running', 'greatest', 'takes'].map((part) => tenant + part);
    for (let round = 0; round < rounds && !stopped; round += 1) {
      const release = await share.take(tenant, limits.get(tenant));
      await witness.count(...keys, name, 1);
      await pause(Math.random() * 4);
      await witness.count(...keys, name, -1);
      release();
    }
  };
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'stop') stopped = true;
    else for (const [tenant, limit] of JSON.parse(line)) limits.set(tenant, limit);
    process.stdout.write('heard\\n');
  });
  process.stdout.write('ready\\n');
  const all = tenants.flatMap(([tenant]) => Array.from({ length: workers }, () => worker(tenant)));
  Promise.all(all).then(async () => {
    await share.beforeApplicationShutdown();
    share.onApplicationShutdown();
    redis.disconnect();
    witness.disconnect();
    process.stdin.destroy();
  });`;

export interface HammerOptions {
  readonly url: string;
  readonly witnessUrl: string;
  readonly prefix: string;
  readonly tenants: readonly (readonly [tenant: string, limit: number])[];
  /** Takes at once for each tenant. */
  readonly workers: number;
  /** Takes of each worker; by default until it is told to stop. */
  readonly rounds?: number;
  /** By default longer than the product's: a busy machine is not what most tests are about. */
  readonly commandTimeout?: number;
}

export class Hammer {
  readonly name = newId();
  private readonly child: ChildProcess;
  private lines = 0;
  private readonly exited: Promise<number | null>;

  constructor(options: HammerOptions) {
    const given = { rounds: 1e9, commandTimeout: 10_000, ...options, name: this.name, count: COUNT };
    this.child = spawn(process.execPath, ['-e', PROGRAM, JSON.stringify(given)], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.child.stdout!.on('data', (chunk: Buffer) => (this.lines += chunk.toString().split('\n').length - 1));
    this.exited = new Promise((resolve) => this.child.once('exit', resolve));
  }

  /** Lines it has written: one when it is ready, one for each thing it was told. */
  get heard(): number {
    return this.lines;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  setLimit(tenant: string, limit: number): void {
    this.child.stdin!.write(`${JSON.stringify([[tenant, limit]])}\n`);
  }

  stop(): void {
    if (this.running) this.child.stdin!.write('stop\n');
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Its exit code; null when it was killed. */
  ended(): Promise<number | null> {
    return this.exited;
  }
}

/** What the witness has seen of one tenant. */
export class Witness {
  constructor(private readonly redis: Redis) {}

  async greatest(tenant: string): Promise<number> {
    return Number(await this.redis.get(`${tenant}greatest`));
  }

  async takes(tenant: string): Promise<number> {
    return (await this.redis.hvals(`${tenant}takes`)).reduce((sum, takes) => sum + Number(takes), 0);
  }

  async takesOf(tenant: string, process: string): Promise<number> {
    return Number(await this.redis.hget(`${tenant}takes`, process));
  }

  async running(tenant: string): Promise<number> {
    return (await this.redis.hvals(`${tenant}running`)).reduce((sum, running) => sum + Number(running), 0);
  }

  async startOver(tenant: string): Promise<void> {
    await this.redis.del(`${tenant}greatest`);
  }

  /** What a process had running when it died is not running any more. */
  async bury(tenant: string, process: string): Promise<void> {
    await this.redis.hdel(`${tenant}running`, process);
  }
}
