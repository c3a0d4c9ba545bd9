import { setTimeout as delay } from 'node:timers/promises';
import { SharedView } from './shared-view';

const view = (calls: number, takenAt = 1) => ({
  taken_at: `t${takenAt}`,
  period: { from: 'then', to: `t${takenAt}` },
  calls,
});

describe('a shared view', () => {
  it('is made once for all who ask at the same time, and kept for them', async () => {
    let made = 0;
    const shared = new SharedView(60_000, async () => {
      made += 1;
      await delay(1);
      return view(made);
    });
    const looks = await Promise.all([shared.look(), shared.look(), shared.look()]);
    expect(new Set([...looks, await shared.look()]).size).toBe(1);
    expect(made).toBe(1);
  });

  it('is made anew when it is old, and never so often that making it is all that happens', async () => {
    let [made, cost, now] = [0, 1, 0];
    const make = () => {
      made += 1;
      now += cost;
      return Promise.resolve(view(made));
    };
    const shared = new SharedView(0, make, () => now);
    await shared.look();
    cost = 100;
    now += 30;
    await shared.look();
    expect(made).toBe(2);
    cost = 0;
    now += 50; // far less than ten times what the last one took
    await shared.look();
    expect(made).toBe(2);
    now += 850; // ten times, since it began
    await shared.look();
    expect(made).toBe(3);
  });

  it('that failed is made anew by who asks next', async () => {
    const answers = [Promise.reject(new Error('away')), Promise.resolve(view(1))];
    const shared = new SharedView(60_000, () => answers.shift()!);
    await expect(shared.look()).rejects.toThrow('away');
    await expect(shared.look()).resolves.toMatchObject({ view: { calls: 1 } });
  });

  it('says the same again as long as nothing but the time has changed', async () => {
    const views = [view(1, 1), view(1, 2), view(2, 3)];
    const look = () => new SharedView(0, () => Promise.resolve(views.shift()!)).look();
    const [first, later, changed] = [await look(), await look(), await look()];
    expect(later.content).toBe(first.content);
    expect(later.text).not.toBe(first.text);
    expect(changed.content).not.toBe(first.content);
  });
});
