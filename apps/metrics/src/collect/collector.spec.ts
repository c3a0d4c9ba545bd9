import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '#libs/testing';
import { Collector, type Source } from './collector';

const NEVER = new Promise<never>(() => undefined);

describe('a collector', () => {
  const made: Collector[] = [];
  const collector = <T>(sources: readonly Source<T>[], { everyMs = 20, patienceMs = 50 } = {}) => {
    const one = new Collector<T>({ name: 'c', everyMs, patienceMs, sources: () => sources });
    made.push(one);
    one.start();
    return one;
  };

  afterEach(async () => {
    await Promise.all(made.splice(0).map((one) => one.stop()));
  });

  it('asks on its own schedule and not once for a scrape', async () => {
    let asked = 0;
    const one = collector([{ name: 's', read: () => Promise.resolve((asked += 1)) }], { everyMs: 60_000 });
    const scrapes = await Promise.all(Array.from({ length: 50 }, () => one.values()));
    expect(scrapes.every(([first]) => first?.value === 1)).toBe(true);
    expect(asked).toBe(1);
  });

  it('lets the first scrape wait for the first round, and has newer answers later', async () => {
    let value = 0;
    const one = collector([{ name: 's', read: async () => delay(5, (value += 1)) }]);
    expect(await one.values()).toEqual([{ source: 's', value: 1 }]);
    await waitFor(async () => (await one.values())[0]!.value > 2, { what: 'further rounds' });
  });

  it('leaves out and reports who rejects or is silent, and takes them in again', async () => {
    let isBack = false;
    const one = collector<string>([
      { name: 'well', read: () => Promise.resolve('w') },
      { name: 'broken', read: () => (isBack ? Promise.resolve('b') : Promise.reject(new Error('no'))) },
      { name: 'silent', read: () => NEVER },
    ]);
    expect(await one.values()).toEqual([{ source: 'well', value: 'w' }]);
    expect(await one.states()).toEqual([
      { source: 'well', isUp: true },
      { source: 'broken', isUp: false },
      { source: 'silent', isUp: false },
    ]);
    isBack = true;
    await waitFor(async () => (await one.values()).length === 2, { what: 'the broken one to be back' });
  });

  it('forgets what a source said before it went away', async () => {
    let isAway = false;
    const read = () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(1));
    const one = collector([{ name: 's', read }]);
    expect(await one.values()).toHaveLength(1);
    isAway = true;
    await waitFor(async () => (await one.values()).length === 0, { what: 'it to be left out' });
  });

  it('never has two rounds at once', async () => {
    let [running, most, rounds] = [0, 0, 0];
    const read = async () => {
      most = Math.max(most, (running += 1));
      await delay(15);
      running -= 1;
      rounds += 1;
    };
    collector([{ name: 's', read }], { everyMs: 1 });
    await waitFor(() => rounds > 3, { what: 'rounds' });
    expect(most).toBe(1);
  });

  it('asks nobody after its stop', async () => {
    let asked = 0;
    const one = collector([{ name: 's', read: () => Promise.resolve((asked += 1)) }], { everyMs: 1 });
    await waitFor(() => asked > 2, { what: 'rounds' });
    await one.stop();
    const before = asked;
    await delay(30);
    expect(asked).toBe(before);
  });
});
