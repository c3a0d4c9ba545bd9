import { BoundedGate } from './bounded-gate';

function work() {
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const start = (gate: BoundedGate, name: number) =>
    gate.run(() => {
      started.push(name);
      return new Promise<number>((resolve) => (finish[name] = () => resolve(name)));
    });
  return { started, finish, start };
}

describe('BoundedGate', () => {
  it('runs so many at once, and the waiting ones in order as places come free', async () => {
    const gate = new BoundedGate({ running: 2, waiting: 2 });
    const { started, finish, start } = work();
    const all = [0, 1, 2, 3].map((name) => start(gate, name));
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    finish[1]!();
    await all[1];
    expect(started).toEqual([0, 1, 2]);
    finish[0]!();
    await all[0];
    expect(started).toEqual([0, 1, 2, 3]);
    finish[2]!();
    finish[3]!();
    await expect(Promise.all(all)).resolves.toEqual([0, 1, 2, 3]);
  });

  it('refuses at once with busy when the queue is full, and admits again afterwards', async () => {
    const gate = new BoundedGate({ running: 1, waiting: 0 });
    const { finish, start } = work();
    const first = start(gate, 0);
    await expect(start(gate, 1)).rejects.toMatchObject({ code: 'busy', category: 'unavailable' });
    finish[0]!();
    await first;
    await expect(gate.run(() => Promise.resolve('free'))).resolves.toBe('free');
  });

  it('frees its place when the work fails', async () => {
    const gate = new BoundedGate({ running: 1, waiting: 0 });
    await expect(gate.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(gate.run(() => Promise.resolve('free'))).resolves.toBe('free');
  });
});
