/**
 * The breaker against a model that knows no states: it remembers what happened when, and says by that alone who may ask. Jobs ask
 * and come back in any order, at any time, as workers on a shared row do.
 */
import fc from 'fast-check';
import { Breaker, type BreakerChange, type BreakerRow, type BreakerRules, CLOSED } from './breaker';

const RULES: BreakerRules = { threshold: 3, firstPauseMs: 1_000, longestPauseMs: 10_000, trialMs: 5_000 };
const JOBS = ['a', 'b', 'c'] as const;
type Job = (typeof JOBS)[number];

/** What the row does: a write is taken only from whoever has read its newest revision. */
class Row {
  private change: BreakerChange = CLOSED;
  private until: number | null = null;
  revision = 0;

  read(now: number): BreakerRow & { readonly revision: number } {
    const { state, failures, openings, trial } = this.change;
    const remainingMs = this.until === null ? null : this.until - now;
    return { state, failures, openings, trial, remainingMs, revision: this.revision };
  }

  write(change: BreakerChange, read: number, now: number): boolean {
    if (read !== this.revision) return false;
    this.change = change;
    this.until = change.pauseMs === null ? null : now + change.pauseMs;
    this.revision += 1;
    return true;
  }
}

/** Failures since the last success, and the trial that is under way. */
class Model {
  failedAt: number[] = [];
  trial: { readonly job: Job; readonly since: number } | null = null;

  get pauseMs(): number {
    const openings = Math.max(0, this.failedAt.length - RULES.threshold + 1);
    return openings === 0 ? 0 : Math.min(RULES.firstPauseMs * 2 ** (openings - 1), RULES.longestPauseMs);
  }

  mayAsk(job: Job, now: number): boolean {
    if (this.pauseMs === 0) return true;
    if (this.trial) return this.trial.job === job || now >= this.trial.since + RULES.trialMs;
    return now >= this.failedAt[this.failedAt.length - 1]! + this.pauseMs;
  }
}

type Step =
  { readonly kind: 'wait'; readonly ms: number } | { readonly kind: 'ask' | 'succeed' | 'fail'; readonly job: Job };

const job = fc.constantFrom(...JOBS);
/** Some at once: what leads through all states is rare among steps that know nothing of each other. */
const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 6_000 }).map((ms): Step[] => [{ kind: 'wait', ms }]) },
      { weight: 2, arbitrary: job.map((each): Step[] => [{ kind: 'ask', job: each }]) },
      { weight: 1, arbitrary: job.map((each): Step[] => [{ kind: 'succeed', job: each }]) },
      { weight: 1, arbitrary: job.map((each): Step[] => [{ kind: 'fail', job: each }]) },
      {
        weight: 3,
        arbitrary: job.map((each): Step[] => [
          { kind: 'ask', job: each },
          { kind: 'fail', job: each },
        ]),
      },
    ),
    { maxLength: 60, size: 'max' },
  )
  .map((each) => each.flat());

describe('Breaker', () => {
  const breaker = new Breaker(RULES);

  it('lets through exactly whom the history lets through, whatever comes when', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(steps, (taken) => {
        const [row, model] = [new Row(), new Model()];
        const asking = new Map<Job, number>(); // job → revision that it has read
        let now = 0;
        for (const each of taken) {
          if (each.kind === 'wait') {
            now += each.ms;
            continue;
          }
          const { job } = each;
          const state = row.read(now);
          if (each.kind === 'ask') {
            const admission = breaker.admit(state, job);
            seen.add(`${state.state} ${admission.kind}`);
            expect([taken, admission.kind !== 'wait']).toEqual([taken, model.mayAsk(job, now)]);
            if (admission.kind === 'wait') {
              expect(admission.ms).toBe(state.remainingMs);
              continue;
            }
            if (admission.kind === 'trial') {
              expect(row.write(admission.change, state.revision, now)).toBe(true);
              model.trial = { job, since: now };
            }
            asking.set(job, row.revision);
            continue;
          }
          const read = asking.get(job);
          asking.delete(job);
          if (read === undefined || read !== row.revision) continue; // out of date: it reads again
          if (each.kind === 'succeed') {
            row.write(CLOSED, read, now);
            model.failedAt = [];
          } else {
            const change = breaker.failed(state, 0, 0);
            row.write(change, read, now);
            model.failedAt.push(now);
            expect(change).toMatchObject({ failures: model.failedAt.length, pauseMs: model.pauseMs || null });
            seen.add(`${state.state} failed ${change.state}`);
          }
          model.trial = null;
        }
      }),
      { numRuns: 600 },
    );
    // The walk has been everywhere, or it would prove little.
    expect([...seen].sort()).toEqual([
      'closed failed closed',
      'closed failed open',
      'closed go',
      'half_open failed open',
      'half_open go',
      'half_open trial',
      'half_open wait',
      'open trial',
      'open wait',
    ]);
  });

  const open: BreakerRow = { state: 'half_open', failures: 3, openings: 1, trial: 'a', remainingMs: 1 };

  it('makes pauses up to a fifth shorter, and as long as the other side asks, up to the longest', () => {
    expect(breaker.failed(open, 0, 0).pauseMs).toBe(2_000);
    expect(breaker.failed(open, 0, 1).pauseMs).toBe(1_600);
    expect(breaker.failed(open, 7_000, 1).pauseMs).toBe(7_000);
    expect(breaker.failed(open, 70_000, 1).pauseMs).toBe(RULES.longestPauseMs);
    expect(breaker.failed({ ...open, openings: 10_000 }, 0, 0).pauseMs).toBe(RULES.longestPauseMs);
  });

  it('while it is closed, makes pauses that double up to the first one', () => {
    const pauses = [1, 2, 3, 4, 50].map((failures) => Math.round(breaker.pauseBefore(failures, 0)));
    expect(pauses).toEqual([167, 333, 667, 1_000, 1_000]);
    expect(breaker.pauseBefore(4, 1)).toBe(800);
  });

  it('with a threshold of one opens at the first failure', () => {
    const strict = new Breaker({ ...RULES, threshold: 1 });
    const closed: BreakerRow = { state: 'closed', failures: 0, openings: 0, trial: null, remainingMs: null };
    expect(strict.failed(closed, 0, 0)).toEqual({
      ...{ state: 'open', failures: 1, openings: 1, trial: null, pauseMs: 1_000 },
    });
  });
});
