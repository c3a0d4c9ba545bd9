/** Jobs of two tenants that come to one gate again and again, in time that passes as the spec says, at a shard that is never busy. */
import { loadConfig } from '#libs/config';
import type { Shards } from '#libs/database';
import type { SignalReader } from '#libs/observability';
import { JobPace, type JobSeat } from './job-pace.service';
import { QUANTUM_MS } from './turns';

const SHARD = 'main';
/** Until the width is more than one, at which there are no rests. */
const WIDE_MS = 30_000;

describe('jobs at a gate for one', () => {
  let pace: JobPace;
  const never = new AbortController().signal;
  const worked: { readonly name: string; readonly ms: number }[] = [];

  beforeEach(async () => {
    jest.useFakeTimers();
    const shards = { find: () => ({ primary: { pool: () => ({ query: () => Promise.resolve() }) } }) };
    const signals = { processes: () => Promise.resolve([{ process: 'api', requests_per_second: 50 }]) };
    const config = loadConfig({ NODE_ENV: 'test', QUEUE_CONCURRENCY_NORMAL: '1', JOB_PACE_DELAY_MS: '1' });
    pace = new JobPace(shards as unknown as Shards, signals as unknown as SignalReader, config);
    await pace.start();
    let isWide = false;
    const ended = job('warm-up', 'nobody', 10, () => !isWide);
    await jest.advanceTimersByTimeAsync(WIDE_MS);
    isWide = true;
    await jest.advanceTimersByTimeAsync(100);
    await ended;
    worked.length = 0;
  });
  afterEach(() => {
    pace.onApplicationShutdown();
    jest.useRealTimers();
  });

  const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const seat = (tenant: string): JobSeat => ({ tenant, shard: SHARD, weight: 1 });

  async function job(name: string, tenant: string, stepMs: number, goesOn: (step: number) => boolean): Promise<void> {
    const turn = await pace.run('normal', seat(tenant), never);
    for (let step = 0; goesOn(step); step += 1) {
      if (step > 0) await turn.again();
      await delay(stepMs);
      worked.push({ name, ms: stepMs });
    }
    turn.end();
  }
  const msOf = (name: string) => worked.filter((one) => one.name === name).reduce((sum, { ms }) => sum + ms, 0);

  it('have the time for each tenant, not the steps', async () => {
    void job('short', 'one', 10, () => true);
    void job('long', 'other', 190, () => true);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(msOf('short') / msOf('long')).toBeGreaterThan(0.9);
    expect(msOf('short') / msOf('long')).toBeLessThan(1.1);
    expect(msOf('short') + msOf('long')).toBeGreaterThan(19_000);
  });

  it('of one tenant go on until their time is up, and short ones end one after another', async () => {
    for (const name of ['first', 'second', 'third']) void job(name, 'one', 20, (step) => step < 5);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(worked.map(({ name }) => name)).toEqual(
      ['first', 'second', 'third'].flatMap((name) => Array<string>(5).fill(name)),
    );
    worked.length = 0;
    void job('long', 'one', 100, () => true);
    void job('late', 'one', 100, (step) => step < 1);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(worked.findIndex(({ name }) => name === 'late')).toBe(QUANTUM_MS / 100);
  });
});
