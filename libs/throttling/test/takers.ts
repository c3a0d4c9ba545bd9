/**
 * Processes of their own that take from the same limits through the product's storage, each with a clock of its own that is
 * wrong.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PolicyName } from '../src/policy';

const ROOT = join(__dirname, '../../..');

/**
 * Lines in: TakeOptions, or `replicas`, or `stop`. Lines out: `ready`, then an answer for each.
 */
const PROGRAM = `
  const [, options] = process.argv;
  const { url, prefix, skewMs, commandTimeout } = JSON.parse(options);
  const [dateNow, highNow] = [Date.now, performance.now.bind(performance)];
  Date.now = () => dateNow() + skewMs;
  const { POLICIES, RedisThrottlerStorage, Replicas } = require('./dist/libs/throttling/src');
  const { connectRedis, isConnected } = require('./dist/libs/redis/src');
  require('@nestjs/common').Logger.overrideLogger(false);
  const { createInterface } = require('node:readline');
  const { setTimeout: pause } = require('node:timers/promises');
  const redis = connectRedis(url, 'fast');
  const patient = (client) => (client.options.commandTimeout = commandTimeout);
  patient(redis);
  redis.on('+node', patient); // of a cluster
  redis.on('error', () => undefined);
  const config = { REDIS_KEY_PREFIX: prefix, RATE_LIMIT_MEMORY_MS: 3600000, RATE_LIMIT_REPLICAS: 1 };
  const replicas = new Replicas(redis, config);
  replicas.onModuleInit();
  const storage = new RedisThrottlerStorage(redis, config, replicas);
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
  const take = async ({ policy, limit, key, windowMs, attempts, forMs }) => {
    const check = { policy: { ...POLICIES[policy], ...(windowMs && { windowMs }) }, limit, key };
    const found = { admitted: [], refused: 0, failed: [], by: {} };
    const one = async () => {
      const sent = highNow();
      try {
        const { admitted, by } = await storage.take([check]);
        found.by[by] = (found.by[by] || 0) + 1;
        if (admitted) found.admitted.push([dateNow() - (highNow() - sent), dateNow()]);
        else found.refused += 1;
      } catch (error) {
        found.failed.push(error.code);
      }
    };
    const end = highNow() + (forMs || 0);
    do {
      await Promise.all(Array.from({ length: attempts }, one));
      if (forMs) await pause(Math.random() * 5);
    } while (highNow() < end);
    return found;
  };
  createInterface({ input: process.stdin }).on('line', async (line) => {
    if (line === 'stop') {
      await replicas.beforeApplicationShutdown();
      redis.disconnect();
      process.stdin.destroy();
    } else if (line === 'replicas') say(replicas.count);
    else say(await take(JSON.parse(line)));
  });
  const connected = async () => {
    while (!isConnected(redis)) await pause(5);
    say('ready');
  };
  void connected();
`;

export interface TakeOptions {
  readonly policy: PolicyName;
  readonly limit: number;
  readonly key: string;
  readonly windowMs?: number;
  /** At once. */
  readonly attempts: number;
  /** Again and again for so long. */
  readonly forMs?: number;
}

export interface Found {
  /** When each admission was asked for and answered, by the true clock of this machine. */
  readonly admitted: readonly (readonly [askedAt: number, answeredAt: number])[];
  readonly refused: number;
  readonly failed: readonly string[];
  /** Verdicts by who gave them. */
  readonly by: Readonly<Partial<Record<'redis' | 'memory' | 'insurance', number>>>;
}

export class Taker {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  private constructor(options: object) {
    this.child = spawn(process.execPath, ['-e', PROGRAM, JSON.stringify(options)], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** So many of them, connected, with clocks that are days apart. */
  static async start(count: number, url: string, prefix: string, commandTimeout = 10_000): Promise<Taker[]> {
    const skews = Array.from({ length: count }, (_, index) => (index - count / 2) * 86_400_000);
    const takers = skews.map((skewMs) => new Taker({ url, prefix, skewMs, commandTimeout }));
    await Promise.all(takers.map((taker) => taker.answer()));
    return takers;
  }

  take(options: TakeOptions): Promise<Found> {
    return this.ask<Found>(JSON.stringify(options));
  }

  replicas(): Promise<number> {
    return this.ask<number>('replicas');
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.stdin!.write('stop\n');
    await ended;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private ask<Answer>(line: string): Promise<Answer> {
    this.child.stdin!.write(`${line}\n`);
    return this.answer<Answer>();
  }

  private async answer<Answer>(): Promise<Answer> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error('A process that takes has ended.');
    return JSON.parse(value) as Answer;
  }
}

/** All of them at the same time; what they found together. */
export async function takeTogether(takers: readonly Taker[], options: TakeOptions): Promise<Found> {
  const found = await Promise.all(takers.map((taker) => taker.take(options)));
  const by: Record<string, number> = {};
  for (const one of found) for (const [who, count] of Object.entries(one.by)) by[who] = (by[who] ?? 0) + count;
  return {
    admitted: found.flatMap(({ admitted }) => admitted),
    refused: found.reduce((sum, { refused }) => sum + refused, 0),
    failed: found.flatMap(({ failed }) => failed),
    by,
  };
}
