import { topTenants } from './top-tenants';

describe('the busiest tenants', () => {
  it('are the first of all shards, the rest is other, and the sum is that of the shards', () => {
    const one = [{ tenant: 'a', value: 9 }, { tenant: 'b', value: 3 }, { tenant: null, value: 40 }]; // prettier-ignore
    const two = [{ tenant: 'c', value: 7 }, { tenant: 'd', value: 3 }, { tenant: null, value: 5 }]; // prettier-ignore
    expect(topTenants([...one, ...two], 3)).toEqual([
      { tenant: 'a', value: 9 },
      { tenant: 'c', value: 7 },
      { tenant: 'b', value: 3 },
      { tenant: 'other', value: 48 },
    ]);
  });

  it('are other alone where nobody uses anything', () => {
    expect(topTenants([], 20)).toEqual([{ tenant: 'other', value: 0 }]);
  });
});
