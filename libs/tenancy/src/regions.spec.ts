import type { StockyardError } from '#libs/kernel';
import { isWrongRegion, type RegionConfig, Regions } from './regions';

const ONE: RegionConfig = { REGION: 'default', regions: {}, shardRegions: { main: 'default' } };
const SEVERAL: RegionConfig = {
  REGION: 'eu',
  regions: { eu: 'https://eu.example.com', us: 'https://us.example.com' },
  shardRegions: { main: 'eu', two: 'us' },
};

const refusalOf = (work: () => unknown): StockyardError => {
  try {
    work();
  } catch (error) {
    return error as StockyardError;
  }
  throw new Error('It was not refused.');
};

describe('Regions', () => {
  const regions = new Regions(SEVERAL);

  it('says where an organization lives by its shard, whatever its label says', () => {
    expect(regions.of({ region: 'eu', shard: 'two' })).toBe('us');
    expect(regions.of({ region: 'default', shard: 'main' })).toBe('eu');
    expect(regions.of({ region: 'us', shard: 'main' })).toBe('eu');
  });

  it('goes by the label where the shard is not in the configuration', () => {
    expect(regions.of({ region: 'us', shard: 'nine' })).toBe('us');
    expect(regions.of({ region: 'constructor', shard: 'toString' })).toBe('eu');
  });

  it('serves everyone where there is one region', () => {
    const one = new Regions(ONE);
    expect(one.several).toBe(false);
    for (const [region, shard] of [
      ['default', 'main'],
      ['eu', 'main'],
      ['eu', 'nine'],
    ] as const)
      expect(one.serves({ region, shard })).toBe(true);
    expect([one.forNew(undefined), one.forNew('mars'), one.forArrival('mars')]).toEqual(['default', 'mars', 'mars']);
  });

  it('sends who asks in the wrong one to the right one', () => {
    const refusal = refusalOf(() => regions.requireServed({ region: 'us', shard: 'two' }));
    expect(isWrongRegion(refusal)).toBe(true);
    expect(refusal).toMatchObject({
      category: 'misdirected',
      details: { region: 'us', endpoint: 'https://us.example.com' },
      message: expect.stringContaining('https://us.example.com') as string,
    });
    expect(() => regions.requireServed({ region: 'eu', shard: 'main' })).not.toThrow();
  });

  it('makes organizations here only, and restores them as of here', () => {
    expect([regions.forNew(undefined), regions.forNew('eu'), regions.forArrival('us')]).toEqual(['eu', 'eu', 'eu']);
    expect(refusalOf(() => regions.forNew('us'))).toMatchObject({
      code: 'wrong_region',
      details: { endpoint: 'https://us.example.com' },
    });
    expect(refusalOf(() => regions.forNew('mars'))).toMatchObject({
      code: 'unknown_region',
      category: 'unprocessable',
      param: 'region',
      details: { regions: ['eu', 'us'] },
    });
  });

  it('takes organizations to other regions that there are', () => {
    expect(() => regions.requireOther('us', 'moved_to')).not.toThrow();
    for (const region of ['eu', 'mars', 'toString'])
      expect(refusalOf(() => regions.requireOther(region, 'moved_to'))).toMatchObject({
        code: 'unknown_region',
        param: 'moved_to',
      });
  });
});
