/** Processes that read, write and invalidate at random, while others stand still and Redis evicts: nobody reads what is old. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { type RedisClient, redisMasters } from '#libs/redis';

const PROGRAM = join(process.cwd(), 'dist/libs/cache/test/cache-process.js');
export const PREFIX = 'coherence';
const RUN_MS = 6_000;

type Event =
  | { readonly kind: 'read'; readonly begun: number; readonly version: number; readonly near: number }
  | { readonly kind: 'forgotten'; readonly at: number; readonly version: number };

/** Of those who wrote before a time, the newest version that was invalidated by then. */
function newestAt(forgotten: readonly { readonly at: number; readonly newest: number }[], time: number): number {
  let [low, high] = [0, forgotten.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (forgotten[middle]!.at < time) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : forgotten[low - 1]!.newest;
}

function start(url: string, organization: string, seed: number, events: Event[]) {
  const args = [PROGRAM, url, PREFIX, organization, String(RUN_MS), String(seed)];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  createInterface(child.stdout).on('line', (line) => events.push(JSON.parse(line) as Event));
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { child, ended };
}

/** Fails where a process of three read what is old. `redis` is a client of what the URL leads to. */
export async function expectCoherence(url: string, redis: RedisClient, organization: string): Promise<void> {
  const events: Event[] = [];
  const processes = [1, 2, 3].map((seed) => start(url, organization, seed, events));
  const all = Promise.all(processes.map(({ ended }) => ended));
  const running = () => processes.some(({ child }) => child.exitCode === null);
  for (let round = 0; running(); round += 1) {
    await pause(40);
    const keys = (await Promise.all(redisMasters(redis).map((server) => server.keys(`${PREFIX}:cache:*`)))).flat();
    const victim = keys[round % Math.max(1, keys.length)];
    if (victim && round % 3 === 0) await redis.del(victim); // as an eviction does
    const { child } = processes[round % processes.length]!;
    if (round % 5 === 0 && child.exitCode === null) {
      child.kill('SIGSTOP');
      await pause(60);
      child.kill('SIGCONT');
    }
  }
  expect(await all).toEqual([0, 0, 0]);
  let newest = 0;
  const forgotten = events
    .filter((event) => event.kind === 'forgotten')
    .sort((a, b) => a.at - b.at)
    .map(({ at, version }) => ({ at, newest: (newest = Math.max(newest, version)) }));
  const reads = events.filter((event) => event.kind === 'read');
  const old = reads.filter(({ begun, version, near }) => version < newestAt(forgotten, begun - near));
  expect(old).toEqual([]);
  expect(reads.length).toBeGreaterThan(300);
  expect(forgotten.length).toBeGreaterThan(30);
  // Were memory asked to be as new as Redis, it would be found older: what it is allowed is also what is seen.
  expect(reads.some(({ begun, version }) => version < newestAt(forgotten, begun))).toBe(true);
}
