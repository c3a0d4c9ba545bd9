import { setTimeout as pause } from 'node:timers/promises';
import { entryAddress, type EntryAddress } from './cache-keys';
import { NearLevel } from './near-level';

const ADDRESS = entryAddress('a', 'n', 'k', ['t', 'u']);
const LIFE_MS = 10_000;

const land = (near: NearLevel, value: unknown, { address = ADDRESS, bytes = 10, lifeMs = LIFE_MS } = {}): void => {
  const load = near.begin(address);
  near.keep(load, { value, bytes, validAt: performance.now(), lifeMs });
  near.end(load);
};

const forgotten: readonly (readonly [what: string, forget: (near: NearLevel) => void])[] = [
  ['its entry', (near) => near.forget(ADDRESS)],
  ['its namespace', (near) => near.forgetGroup({ organizationId: 'a', namespace: 'n', tag: null })],
  ['a tag', (near) => near.forgetGroup({ organizationId: 'a', namespace: null, tag: 'u' })],
];

describe('the near level', () => {
  const near = () => new NearLevel(1_000_000);

  it('keeps what a load landed with, for its tenant', () => {
    const level = near();
    land(level, 1);
    expect(level.get(ADDRESS)?.value).toBe(1);
    expect(level.get(entryAddress('b', 'n', 'k'))).toBeUndefined();
    expect(level.joinable(ADDRESS, LIFE_MS)).toBeUndefined();
  });

  it('keeps nothing whose life is over', async () => {
    const level = near();
    land(level, 1, { lifeMs: 0 });
    expect(level.get(ADDRESS)).toBeUndefined();
    land(level, 2, { lifeMs: 5 });
    await pause(20);
    expect(level.get(ADDRESS)).toBeUndefined();
  });

  it('keeps nothing longer than it may be, counted from when it was valid, even for who asks in the same turn', () => {
    const level = near();
    const stand = (milliseconds: number): number => {
      const until = performance.now() + milliseconds;
      while (performance.now() < until); // as a process does that is stopped
      return until - milliseconds;
    };
    const load = level.begin(ADDRESS);
    level.keep(load, { value: 1, bytes: 10, validAt: stand(20), lifeMs: 200 });
    expect(level.get(ADDRESS)?.value).toBe(1);
    stand(181);
    expect(level.get(ADDRESS)).toBeUndefined();
    level.keep(load, { value: 2, bytes: 10, validAt: stand(20), lifeMs: 20 });
    expect(level.get(ADDRESS)).toBeUndefined();
  });

  it.each(forgotten)('forgets a value with %s', (_what, forget) => {
    const level = near();
    land(level, 1);
    land(level, 2, { address: entryAddress('a', 'other', 'other', ['other']) });
    forget(level);
    expect(level.get(ADDRESS)).toBeUndefined();
    expect(level.get(entryAddress('a', 'other', 'other'))?.value).toBe(2);
  });

  it.each(forgotten)('neither joins nor keeps a load that began before %s was forgotten', (_what, forget) => {
    const level = near();
    const old = level.begin(ADDRESS);
    old.landing = Promise.resolve('old');
    expect(level.joinable(ADDRESS, LIFE_MS)).toBe(old.landing);
    forget(level);
    expect(level.joinable(ADDRESS, LIFE_MS)).toBeUndefined();
    const young = level.begin(ADDRESS);
    young.landing = Promise.resolve('new');
    expect(level.joinable(ADDRESS, LIFE_MS)).toBe(young.landing);
    const kept = { bytes: 1, validAt: performance.now(), lifeMs: LIFE_MS };
    level.keep(young, { value: 'new', ...kept });
    level.keep(old, { value: 'old', ...kept });
    expect(level.get(ADDRESS)?.value).toBe('new');
  });

  it('joins neither a load in the background nor one that is older than memory may be', async () => {
    const level = near();
    const load = level.begin(ADDRESS);
    expect(level.joinable(ADDRESS, LIFE_MS)).toBeUndefined();
    load.landing = Promise.resolve(1);
    await pause(20);
    expect(level.joinable(ADDRESS, 5)).toBeUndefined();
    expect(level.joinable(ADDRESS, LIFE_MS)).toBe(load.landing);
  });

  it('gives a tenant an eighth and leaves the others theirs', async () => {
    const level = new NearLevel(80_000);
    const address = (organizationId: string, key: number): EntryAddress =>
      entryAddress(organizationId, 'n', String(key));
    land(level, 1, { address: address('quiet', 1) });
    const quiet = level.bytes('quiet');
    for (let key = 0; key < 1_000; key += 1) land(level, key, { address: address('wild', key), lifeMs: 200 });
    expect(level.bytes('wild')).toBeGreaterThan(9_000);
    expect(level.bytes('wild')).toBeLessThanOrEqual(10_000);
    expect(level.bytes()).toBe(level.bytes('wild') + quiet);
    expect(level.get(address('quiet', 1))?.value).toBe(1);
    await pause(300); // what it had has ended, so there is room again
    land(level, 'later', { address: address('wild', 2_000) });
    expect(level.get(address('wild', 2_000))?.value).toBe('later');
  });

  it('counts what it keeps once, however often it is kept', () => {
    const level = near();
    land(level, 1, { bytes: 100 });
    const once = level.bytes('a');
    land(level, 2, { bytes: 100 });
    expect(level.bytes('a')).toBe(once);
    level.forget(ADDRESS);
    expect([level.bytes('a'), level.bytes()]).toEqual([0, 0]);
  });
});
