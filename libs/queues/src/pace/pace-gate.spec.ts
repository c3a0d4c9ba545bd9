/**
 * The gate by itself, and against a model that knows no queue: it remembers who came, who was let in when and who left, and says by
 * that alone who may be inside and who may be kept waiting.
 */
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { HOLD_MS, type LeavePace, LONGEST_REST_MS, PaceGate } from './pace-gate';
import { Ticket } from './turns';

/** A gate with a width that a spec sets, and who has come in, in order. */
class Door {
  readonly gate: PaceGate;
  readonly came: number[] = [];
  readonly leaves = new Map<number, LeavePace>();
  private next = 0;

  constructor(public width: number) {
    this.gate = new PaceGate(() => this.width);
  }

  /** The number of whom was sent in; `onEnter` runs when that one is inside. */
  send(signal = new AbortController().signal, onEnter: (id: number) => void = () => undefined): number {
    const id = this.next++;
    void this.gate.enter(new Ticket('only', 1), signal).then((leave) => {
      this.came.push(id);
      this.leaves.set(id, leave);
      onEnter(id);
    });
    return id;
  }

  async leave(id: number): Promise<void> {
    this.leaves.get(id)!();
    await settled();
  }
}

/** What is resolved has been told. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await Promise.resolve();
}

async function passes(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('a gate that is as wide as jobs may be', () => {
  it.each([
    [0.25, 1],
    [1, 1],
    [1.99, 1],
    [2, 2],
    [3.7, 3],
  ])('of width %d lets %d in, and the next as one leaves', async (width, most) => {
    const door = new Door(width);
    for (let i = 0; i < 5; i += 1) door.send();
    await settled();
    expect(door.came).toEqual([0, 1, 2, 3, 4].slice(0, most));
    await door.leave(0);
    expect(door.came).toEqual([0, 1, 2, 3, 4].slice(0, most + 1)); // it took no time, so there is no rest after it
    expect(door.gate.busy).toBe(true);
  });

  it.each([
    [0.5, 100, 100],
    [0.25, 100, 300],
    [0.8, 400, 100],
    [0.25, 900, LONGEST_REST_MS],
  ])('of width %d rests after a job of %d ms for %d ms', async (width, tookMs, restMs) => {
    const door = new Door(width);
    door.send();
    door.send();
    await passes(tookMs);
    await door.leave(0);
    door.send(); // behind who waits already
    await passes(restMs - 1);
    expect(door.came).toEqual([0]);
    await passes(1);
    expect(door.came).toEqual([0, 1]);
  });

  it('rests when nobody waits too, and does not when it is wider than one', async () => {
    const door = new Door(0.5);
    door.send();
    await passes(100);
    await door.leave(0);
    await passes(50);
    door.send();
    await passes(49);
    expect(door.came).toEqual([0]);
    await passes(1);
    expect(door.came).toEqual([0, 1]);
    door.width = 1;
    await passes(100);
    await door.leave(1);
    door.send();
    await settled();
    expect(door.came).toEqual([0, 1, 2]);
  });

  it('keeps the longest rest of several that were inside', async () => {
    const door = new Door(2);
    door.send();
    await passes(190);
    door.send();
    await passes(10);
    door.width = 0.5;
    door.send();
    await door.leave(0); // 200 ms
    await door.leave(1); // 10 ms
    await passes(199);
    expect(door.came).toEqual([0, 1]);
    await passes(1);
    expect(door.came).toEqual([0, 1, 2]);
  });

  it('lets in who waits when it has become wider and is told so', async () => {
    const door = new Door(1);
    for (let i = 0; i < 4; i += 1) door.send();
    await settled();
    door.width = 3;
    door.gate.wake();
    await settled();
    expect(door.came).toEqual([0, 1, 2]);
  });

  it('lets nobody pass those that wait, although it has become wider and nobody said so', async () => {
    const door = new Door(1);
    door.send();
    door.send();
    await settled();
    door.width = 2;
    door.send();
    await settled();
    expect(door.came).toEqual([0, 1]);
  });

  it('listens no more to who has come in', async () => {
    const door = new Door(1);
    const stops = new AbortController();
    door.send();
    door.send(stops.signal);
    await settled();
    expect(getEventListeners(stops.signal, 'abort')).toHaveLength(1);
    await door.leave(0);
    expect(getEventListeners(stops.signal, 'abort')).toHaveLength(0);
  });

  it('counts who has been inside for long no more, nor a second time when that one leaves', async () => {
    const door = new Door(1);
    for (let i = 0; i < 3; i += 1) door.send();
    await passes(HOLD_MS - 1);
    expect(door.came).toEqual([0]);
    await passes(1);
    expect(door.came).toEqual([0, 1]);
    await door.leave(0);
    await door.leave(0);
    expect(door.came).toEqual([0, 1]); // one is inside
    await door.leave(1);
    expect(door.came).toEqual([0, 1, 2]);
  });

  it('is left once, however often it is said', async () => {
    const door = new Door(1);
    for (let i = 0; i < 3; i += 1) door.send();
    await settled();
    await door.leave(0);
    await door.leave(0);
    expect(door.came).toEqual([0, 1]);
  });

  it('keeps nobody waiting that stops, and nobody behind', async () => {
    const door = new Door(1);
    const stops = new AbortController();
    door.send();
    door.send(stops.signal);
    door.send();
    await settled();
    stops.abort();
    await settled();
    expect(door.came).toEqual([0, 1]);
    await door.leave(1); // was never counted
    expect(door.came).toEqual([0, 1]);
    door.send(stops.signal); // stopped before it came
    await settled();
    expect(door.came).toEqual([0, 1, 3]);
    await door.leave(0);
    expect(door.came).toEqual([0, 1, 3, 2]);
  });

  it('leaves no timer behind when all have left or stopped', async () => {
    const door = new Door(0.25);
    const stops = new AbortController();
    door.send();
    door.send(stops.signal);
    await passes(300);
    await door.leave(0);
    expect(jest.getTimerCount()).toBe(1); // the end of the rest
    stops.abort();
    expect(jest.getTimerCount()).toBe(0);
    expect(door.gate.busy).toBe(false);
  });

  it.each([0.05, 0.15, 0.25, 0.35])(
    'wakes who waits although the rest ends while it looks, %d ms on',
    async (leftMs) => {
      const door = new Door(0.5);
      door.send();
      await passes(100);
      await door.leave(0);
      const from = performance.now();
      let looks = 0;
      jest.spyOn(performance, 'now').mockImplementation(() => from + 100 - leftMs + 0.1 * looks++);
      door.send();
      jest.restoreAllMocks();
      await passes(200);
      expect(door.came).toEqual([0, 1]);
    },
  );

  describe('for whoever comes, leaves, stops, at any width and time', () => {
    type Step =
      | { readonly kind: 'come' }
      | { readonly kind: 'leave' }
      | { readonly kind: 'stop'; readonly which: number }
      | { readonly kind: 'pass'; readonly ms: number }
      | { readonly kind: 'width'; readonly width: number };

    const steps: fc.Arbitrary<Step[]> = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant<Step>({ kind: 'come' }) },
        { weight: 3, arbitrary: fc.constant<Step>({ kind: 'leave' }) },
        { weight: 1, arbitrary: fc.nat(20).map((which): Step => ({ kind: 'stop', which })) },
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 2_500 }).map((ms): Step => ({ kind: 'pass', ms })) },
        { weight: 2, arbitrary: fc.double({ min: 0.25, max: 4, noNaN: true }).map((width): Step => ({ kind: 'width', width })) }, // prettier-ignore
      ),
      { minLength: 5, maxLength: 40, size: 'max' },
    );

    /** Who is inside since when, and until when there is a rest. */
    class Model {
      readonly inside = new Map<number, number>();
      readonly outside = new Map<number, AbortController>();
      restUntil = 0;
      lastIn = -1;
      readonly wrong: string[] = [];

      constructor(private readonly door: Door) {}

      get most(): number {
        return Math.max(1, Math.floor(this.door.width));
      }

      come(): void {
        const stops = new AbortController();
        const id = this.door.send(stops.signal, (entered) => this.entered(entered, stops.signal));
        this.outside.set(id, stops);
      }

      leave(id: number): void {
        const since = this.inside.get(id)!;
        this.inside.delete(id);
        this.rest(performance.now() - since, performance.now());
        this.door.leaves.get(id)!();
      }

      /** Who has been inside for too long does not count, and has had its rest. */
      forgetLong(): void {
        for (const [id, since] of this.inside) {
          if (since + HOLD_MS > performance.now()) continue;
          this.inside.delete(id);
          this.rest(HOLD_MS, since + HOLD_MS);
        }
      }

      /** Nobody waits for nothing. A timer counts whole milliseconds. */
      check(): void {
        this.forgetLong();
        if (this.outside.size === 0 || this.inside.size >= this.most) return;
        if (performance.now() > this.restUntil + 2) this.wrong.push(`${this.outside.size} wait for nothing`);
      }

      private entered(id: number, stops: AbortSignal): void {
        this.outside.delete(id);
        if (stops.aborted) return;
        this.forgetLong();
        if (id < this.lastIn) this.wrong.push(`${id} came in after ${this.lastIn}`);
        this.lastIn = id;
        if (performance.now() < this.restUntil - 1e-6) this.wrong.push(`${id} came in during a rest`);
        this.inside.set(id, performance.now());
        if (this.inside.size > this.most) this.wrong.push(`${this.inside.size} inside at ${this.door.width}`);
      }

      private rest(tookMs: number, at: number): void {
        const { width } = this.door;
        if (width < 1)
          this.restUntil = Math.max(this.restUntil, at + Math.min(LONGEST_REST_MS, tookMs / width - tookMs));
      }
    }

    async function take(step: Step, model: Model, door: Door): Promise<void> {
      if (step.kind === 'come') model.come();
      else if (step.kind === 'pass') await passes(step.ms);
      else if (step.kind === 'width') {
        door.width = step.width;
        door.gate.wake();
      } else if (step.kind === 'leave') {
        const [first] = model.inside.keys();
        if (first !== undefined) model.leave(first);
      } else [...model.outside.values()][step.which]?.abort();
      await settled();
    }

    it('is never too full, keeps the order and its rests, lets nobody wait for nothing, and all in at last', async () => {
      let waited = 0;
      await fc.assert(
        fc.asyncProperty(steps, async (plan) => {
          jest.clearAllTimers();
          const door = new Door(1);
          const model = new Model(door);
          for (const step of plan) {
            await take(step, model, door);
            model.check();
            waited += model.outside.size;
          }
          for (let left = model.outside.size + 1; left > 0; left -= 1) await passes(HOLD_MS + LONGEST_REST_MS + 2);
          expect(model.wrong).toEqual([]);
          expect(model.outside.size).toBe(0);
          expect(door.gate.busy).toBe(false);
          expect(jest.getTimerCount()).toBe(0);
        }),
        { numRuns: 300 },
      );
      expect(waited).toBeGreaterThan(1_000); // or nothing was tried
    });
  });
});
