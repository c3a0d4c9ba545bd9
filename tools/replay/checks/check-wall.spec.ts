/** Which ids are asked for, and by whom. */
import fc from 'fast-check';
import { type OwnedIds, wallProbes } from './check-wall';

const owned = (country: string, orders: number, products: number): OwnedIds => ({
  organization: { country, key: country },
  orders: Array.from({ length: orders }, (_, index) => `${country} order ${index}`),
  products: Array.from({ length: products }, (_, index) => `${country} product ${index}`),
});

describe('the probes of the wall', () => {
  it('are 100 where there are enough ids, orders and products alike', () => {
    const probes = wallProbes([owned('A', 100, 100), owned('B', 100, 100)]);
    expect(probes).toHaveLength(100);
    expect(probes.filter(({ path }) => path === 'orders')).toHaveLength(50);
  });

  it('never repeat an id, never let an organization ask for its own', () => {
    const some = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }));
    fc.assert(
      fc.property(fc.array(some, { minLength: 2, maxLength: 8 }), (sizes) => {
        const all = sizes.map(([orders, products], index) => owned(String(index), orders, products));
        const probes = wallProbes(all);
        expect(new Set(probes.map(({ id }) => id)).size).toBe(probes.length);
        expect(probes.length).toBe(
          Math.min(
            100,
            sizes.flat().reduce((sum, size) => sum + size, 0),
          ),
        );
        for (const { reader, owner } of probes) expect(reader.key).not.toBe(owner.key);
      }),
    );
  });

  it('are none where nobody else is there', () => {
    expect(wallProbes([owned('A', 5, 5)])).toEqual([]);
  });
});
