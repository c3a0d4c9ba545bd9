import { NearLevel } from './near-level';

const ADDRESS = { organizationId: 'a', namespace: 'n', key: 'k' };
const landing = (value: unknown) => () => Promise.resolve({ value, lifeMs: 10_000 });

function slow(value: unknown) {
  let land = (): void => undefined;
  const landed = new Promise<{ value: unknown; lifeMs: number }>((resolve) => {
    land = () => resolve({ value, lifeMs: 10_000 });
  });
  return { load: () => landed, land };
}

describe('the near level', () => {
  it('keeps what a load landed with', async () => {
    const near = new NearLevel();
    await near.begin(ADDRESS, landing(1));
    expect(near.get(ADDRESS)?.value).toBe(1);
    expect(near.flight(ADDRESS)).toBeUndefined();
    expect(near.get({ ...ADDRESS, organizationId: 'b' })).toBeUndefined();
  });

  it.each([
    ['its entry', ADDRESS],
    ['its namespace', { ...ADDRESS, key: '' }],
  ])('forgets a value with %s', async (_what, forgotten) => {
    const near = new NearLevel();
    await near.begin(ADDRESS, landing(1));
    near.forget(forgotten);
    expect(near.get(ADDRESS)).toBeUndefined();
  });

  it.each([
    ['its entry', ADDRESS],
    ['its namespace', { ...ADDRESS, key: '' }],
  ])('neither joins nor keeps a load that began before %s was forgotten', async (_what, forgotten) => {
    const near = new NearLevel();
    const { load, land } = slow('old');
    const first = near.begin(ADDRESS, load);
    near.forget(forgotten);
    expect(near.flight(ADDRESS)).toBeUndefined();
    await near.begin(ADDRESS, landing('new'));
    land();
    await expect(first).resolves.toMatchObject({ value: 'old' });
    expect(near.get(ADDRESS)?.value).toBe('new');
  });

  it('leaves nothing behind when a load fails', async () => {
    const near = new NearLevel();
    await expect(near.begin(ADDRESS, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(near.flight(ADDRESS)).toBeUndefined();
    expect(near.get(ADDRESS)).toBeUndefined();
  });
});
