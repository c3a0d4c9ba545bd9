import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { FallbackGate } from './fallback-gate';

describe('FallbackGate', () => {
  afterEach(() => jest.useRealTimers());

  it('lets in as many as it holds, the rest in their order as others leave', async () => {
    const gate = new FallbackGate(2, 60_000);
    const entered: number[] = [];
    const leaves: (() => void)[] = [];
    const enter = async (visitor: number) => {
      leaves.push(await gate.enter());
      entered.push(visitor);
    };
    const all = Promise.all([1, 2, 3, 4, 5].map(enter));
    await turn();
    expect([entered, gate.used]).toEqual([[1, 2], 2]);
    for (const inside of [3, 4, 5]) {
      leaves.shift()!();
      await turn();
      expect([entered[entered.length - 1], gate.used]).toEqual([inside, 2]);
    }
    await all;
    for (const leave of leaves) leave();
    expect([entered, gate.used]).toEqual([[1, 2, 3, 4, 5], 0]);
  });

  it('refuses with 503 who has waited too long, and nobody else is the worse for it', async () => {
    jest.useFakeTimers();
    const gate = new FallbackGate(1, 1_000);
    const leave = await gate.enter();
    const refused = gate.enter();
    const expectation = expect(refused).rejects.toMatchObject({
      code: 'replicas_behind',
      category: 'unavailable',
      retryAfterSeconds: 1,
    });
    jest.advanceTimersByTime(600);
    const patient = gate.enter();
    jest.advanceTimersByTime(400);
    await expectation;
    leave();
    (await patient)();
    expect(gate.used).toBe(0);
  });

  it('never holds more than its capacity and leaks nothing, however entering, leaving and waiting too long interleave', async () => {
    jest.useFakeTimers();
    const moves = fc.array(fc.oneof(fc.constantFrom('enter', 'leave'), fc.integer({ min: 1, max: 120 })), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), moves, async (capacity, sequence) => {
        const gate = new FallbackGate(capacity, 100);
        const inside: (() => void)[] = [];
        let [waiting, refused, entered] = [0, 0, 0];
        const enter = () => {
          waiting += 1;
          gate.enter().then(
            (leave) => {
              waiting -= 1;
              entered += 1;
              inside.push(leave);
            },
            () => {
              waiting -= 1;
              refused += 1;
            },
          );
        };
        for (const move of sequence) {
          if (move === 'enter') enter();
          else if (move === 'leave') inside.shift()?.();
          else await jest.advanceTimersByTimeAsync(move);
          await jest.advanceTimersByTimeAsync(0);
          expect(inside.length).toBeLessThanOrEqual(capacity);
          expect(gate.used).toBe(inside.length);
          if (waiting > 0) expect(inside.length).toBe(capacity);
        }
        while (inside.length > 0) {
          inside.shift()!();
          await jest.advanceTimersByTimeAsync(0);
        }
        expect([gate.used, waiting]).toEqual([0, 0]);
        expect(entered + refused).toBe(sequence.filter((move) => move === 'enter').length);
      }),
      { numRuns: 60 },
    );
  });
});
