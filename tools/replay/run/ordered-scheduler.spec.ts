/** The scheduler's promises, under any mix of keys and any order of completion. */
import fc from 'fast-check';
import { OrderedScheduler } from './ordered-scheduler';

interface Run {
  /** Tasks in the order they started. */
  readonly started: number[];
  readonly mostAtOnce: number;
  readonly mostAdmitted: number;
  /** Pairs that ran at the same time although they share a key. */
  readonly conflicts: [number, number][];
}

/** Runs tasks with the given keys; each takes as many turns of the event loop as `turns` says. */
async function run(
  tasks: readonly (readonly [keys: readonly string[], turns: number])[],
  concurrency: number,
  window: number,
) {
  const scheduler = new OrderedScheduler<string>({ concurrency, window });
  const running = new Map<number, readonly string[]>();
  const seen = { started: [] as number[], mostAtOnce: 0, mostAdmitted: 0, conflicts: [] as [number, number][] };
  let finished = 0;
  for (const [index, [keys, turns]] of tasks.entries()) {
    await scheduler.submit(keys, async () => {
      for (const [other, held] of running)
        if (keys.some((key) => held.includes(key))) seen.conflicts.push([other, index]);
      running.set(index, keys);
      seen.started.push(index);
      seen.mostAtOnce = Math.max(seen.mostAtOnce, running.size);
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      running.delete(index);
      finished += 1;
    });
    seen.mostAdmitted = Math.max(seen.mostAdmitted, index + 1 - finished);
  }
  await scheduler.drain();
  return seen satisfies Run;
}

const keys = fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd', 'e'), { maxLength: 4 });
const tasks = fc.array(fc.tuple(keys, fc.integer({ min: 0, max: 4 })), { maxLength: 40 });

describe('tasks', () => {
  it('that share a key never run at once and start in the order they came; all of them run', async () => {
    await fc.assert(
      fc.asyncProperty(
        tasks,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 20 }),
        async (all, concurrency, window) => {
          const { started, conflicts, mostAtOnce, mostAdmitted } = await run(all, concurrency, window);
          expect(conflicts).toEqual([]);
          expect([...started].sort((a, b) => a - b)).toEqual(all.map((_, index) => index));
          expect(mostAtOnce).toBeLessThanOrEqual(concurrency);
          expect(mostAdmitted).toBeLessThanOrEqual(Math.max(window, 1));
          for (const key of ['a', 'b', 'c', 'd', 'e']) {
            const sharing = started.filter((index) => all[index]![0].includes(key));
            expect(sharing).toEqual([...sharing].sort((a, b) => a - b));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('without a common key run side by side, also past one that waits', async () => {
    const { mostAtOnce, started } = await run(
      [
        [['a'], 9],
        [['a', 'b'], 1],
        [['c'], 9],
        [[], 9],
      ],
      3,
      10,
    );
    expect(mostAtOnce).toBe(3);
    expect(started).toEqual([0, 2, 3, 1]);
  });
});

describe('a key', () => {
  it('is held from admission until the last task that names it has finished', async () => {
    const scheduler = new OrderedScheduler<string>({ concurrency: 1, window: 5 });
    await scheduler.submit(['a'], () => new Promise(setImmediate));
    await scheduler.submit(['a'], () => new Promise(setImmediate));
    expect(scheduler.isHeld('a')).toBe(true);
    expect(scheduler.isHeld('b')).toBe(false);
    await scheduler.drain();
    expect(scheduler.isHeld('a')).toBe(false);
  });
});

describe('a failure', () => {
  it('stops what has not started and reaches submit and drain', async () => {
    const scheduler = new OrderedScheduler<string>({ concurrency: 1, window: 2 });
    let ran = 0;
    await scheduler.submit(['a'], () => Promise.reject(new Error('the server is gone')));
    const next = scheduler.submit(['a'], () => Promise.resolve(void (ran += 1)));
    await expect(next).rejects.toThrow('the server is gone');
    await expect(scheduler.submit([], () => Promise.resolve())).rejects.toThrow('the server is gone');
    await expect(scheduler.drain()).rejects.toThrow('the server is gone');
    expect(ran).toBe(0);
  });
});
