import * as fc from 'fast-check';
import { above, ALL_TENANTS, formatRoute, parseRoute, RANGES, type Route } from './route';

describe('addresses', () => {
  it.each<[string, Route]>([
    ['', { page: 'platform', range: '1h' }],
    ['#/', { page: 'platform', range: '1h' }],
    ['#/?range=7d', { page: 'platform', range: '7d' }],
    ['#/?range=3y', { page: 'platform', range: '1h' }],
    ['#/?range=toString', { page: 'platform', range: '1h' }],
    ['#/tenants', { ...ALL_TENANTS, range: '1h' }],
    [
      '#/tenants?search=a%26b&sort=cost&cursor=x',
      { page: 'tenants', search: 'a&b', sort: 'cost', cursor: 'x', range: '1h' },
    ],
    ['#/tenants?sort=constructor', { ...ALL_TENANTS, range: '1h' }],
    ['#/tenants/42?range=6h', { page: 'tenant', id: '42', range: '6h' }],
    ['#/tenants/42/GET%20%2Fv1%2Forders', { page: 'activity', id: '42', activity: 'GET /v1/orders', range: '1h' }],
    ['#/tenants/', { page: 'nowhere', range: '1h' }],
    ['#/tenants/%E0%A4%A', { page: 'nowhere', range: '1h' }],
    ['#/elsewhere', { page: 'nowhere', range: '1h' }],
    ['#/tenants/1/2/3', { page: 'nowhere', range: '1h' }],
  ])('%p', (hash, route) => expect(parseRoute(hash)).toEqual(route));

  it('are read back as they were written, whatever stands in a name', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
    const range = fc.constantFrom(...RANGES);
    const route = fc.oneof(
      fc.record({ page: fc.constant('platform' as const), range }),
      fc.record({ page: fc.constant('tenant' as const), id: text, range }),
      fc.record({ page: fc.constant('activity' as const), id: text, activity: text, range }),
      fc.record(
        {
          page: fc.constant('tenants' as const),
          search: fc.string({ unit: 'grapheme', maxLength: 20 }),
          sort: fc.constantFrom('calls' as const, 'cost' as const, 'name' as const),
          cursor: text,
          range,
        },
        { requiredKeys: ['page', 'search', 'sort', 'range'] },
      ),
    );
    fc.assert(fc.property(route, (any) => expect(parseRoute(formatRoute(any as Route))).toEqual(any)));
  });

  it('have one above them, but for the top', () => {
    const activity: Route = { page: 'activity', id: '42', activity: 'GET /', range: '6h' };
    const tenant: Route = { page: 'tenant', id: '42', range: '6h' };
    expect(above(activity, true)).toEqual(tenant);
    expect(above(activity, false)).toEqual(tenant);
    expect(above(tenant, true)).toEqual({ ...ALL_TENANTS, range: '6h' });
    expect(above(tenant, false)).toBeUndefined();
    expect(above({ ...ALL_TENANTS, range: '6h' }, true)).toEqual({ page: 'platform', range: '6h' });
    expect(above({ page: 'platform', range: '6h' }, true)).toBeUndefined();
  });
});
