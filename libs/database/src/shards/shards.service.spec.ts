/** Which shards a process opens, and which it only knows: nothing is asked of a server here. */
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { Shards } from './shards.service';

const REGIONS = JSON.stringify({ eu: 'https://eu.example.com', us: 'https://us.example.com' });
const DATABASE_SHARDS = JSON.stringify({
  two: { url: 'postgres://two.us/x', region: 'us' },
  three: { url: 'postgres://three.us/x', region: 'us' },
});
const SETTINGS = {
  REGIONS,
  REGIONS_SECRET: 'a-secret-that-all-regions-share-12',
  DATABASE_SHARDS,
  DATABASE_REGION: 'eu',
};
const inRegion = (REGION: string) => new Shards(loadConfig({ ...SETTINGS, REGION }), 'spec');
const refusal = (code: string) => expect.objectContaining({ code, category: 'unprocessable' }) as Error;

describe('the shards of a region that shares its directory', () => {
  it('are those of the region: relays, schedules and upkeep go over no other', () => {
    expect(
      inRegion('eu')
        .all()
        .map(({ name }) => name),
    ).toEqual(['main']);
    expect(
      inRegion('us')
        .all()
        .map(({ name }) => name),
    ).toEqual(['two', 'three']);
  });

  it('are not the home shard of another region, which serves the directory alone', () => {
    const us = inRegion('us');
    expect(us.home().name).toBe('main');
    expect(us.pool('main', 'control').shard).toBe(us.home());
    expect(us.find('main')).toBeUndefined();
    expect(() => us.get('main')).toThrow(refusal('shard_in_other_region'));
  });

  it('are told from those of other regions, and from those that there are not', () => {
    const eu = inRegion('eu');
    expect(() => eu.get('two')).toThrow(refusal('shard_in_other_region'));
    expect(() => eu.get('two')).toThrow(/export it here, import the archive there/);
    for (const name of ['nine', 'constructor']) expect(() => eu.get(name)).toThrow(refusal('unknown_shard'));
    for (const name of ['two', 'three']) expect(eu.snapshot().map(({ shard }) => shard)).not.toContain(name);
  });

  it('take new organizations whose bucket is in another region, spread by their ids', () => {
    const us = inRegion('us');
    expect(us.forNew(newId(), 'three')).toBe('three');
    expect(us.forNew(newId(), 'nine')).toBe('nine'); // refused by who uses it
    const counts: Record<string, number> = {};
    for (let made = 0; made < 1_000; made += 1) {
      const shard = us.forNew(newId(), 'main');
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(Object.keys(counts).sort()).toEqual(['three', 'two']);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(400);
  });
});
