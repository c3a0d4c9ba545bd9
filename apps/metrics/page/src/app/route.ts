/** Addresses of the page: the part after `#`, and what it names. Everything that can be linked to stands in it. */
import type { RangeName, SortName } from '../api/views';

/** Typed by the API's own names: one that is added there is missing here, and does not compile. */
const RANGE_TEXTS: Readonly<Record<RangeName, string>> = {
  '1h': 'hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
};
export const RANGES = Object.keys(RANGE_TEXTS) as RangeName[];
const DEFAULT_RANGE: RangeName = '1h';

const SORT_NAMES: Readonly<Record<SortName, true>> = {
  calls: true,
  errors: true,
  refusals: true,
  p95: true,
  busy: true,
  cost: true,
  name: true,
};

export type Place =
  | { readonly page: 'platform' }
  | { readonly page: 'tenants'; readonly search: string; readonly sort: SortName; readonly cursor?: string }
  | { readonly page: 'tenant'; readonly id: string }
  | { readonly page: 'activity'; readonly id: string; readonly activity: string }
  | { readonly page: 'nowhere' };
export type Route = Place & { readonly range: RangeName };

export const ALL_TENANTS = { page: 'tenants', search: '', sort: 'calls' } as const;

/** `hour`, `6 hours`: as in "the last …", "no requests in this …". */
export const rangeText = (range: RangeName): string => RANGE_TEXTS[range];

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // half of an escape: somebody's typing
  }
}

function placeOf(path: string, query: URLSearchParams): Place {
  const parts = path.split('/').map(decoded);
  const [root, first, id, activity, ...rest] = parts;
  if (root !== '' || rest.length > 0 || parts.includes(undefined)) return { page: 'nowhere' };
  if (first === '' || first === undefined) return id === undefined ? { page: 'platform' } : { page: 'nowhere' };
  if (first !== 'tenants') return { page: 'nowhere' };
  if (id && activity) return { page: 'activity', id, activity };
  if (id && activity === undefined) return { page: 'tenant', id };
  if (id !== undefined) return { page: 'nowhere' };
  const sort = query.get('sort') ?? '';
  const cursor = query.get('cursor');
  return {
    page: 'tenants',
    search: (query.get('search') ?? '').slice(0, 100),
    sort: Object.hasOwn(SORT_NAMES, sort) ? (sort as SortName) : ALL_TENANTS.sort,
    ...(cursor ? { cursor } : {}),
  };
}

/** What an address names; of parameters that make no sense, the default. */
export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, '') || '/';
  const at = text.indexOf('?');
  const query = new URLSearchParams(at < 0 ? '' : text.slice(at + 1));
  const range = query.get('range') ?? '';
  return {
    ...placeOf(at < 0 ? text : text.slice(0, at), query),
    range: Object.hasOwn(RANGE_TEXTS, range) ? (range as RangeName) : DEFAULT_RANGE,
  };
}

function pathOf(route: Place): string {
  switch (route.page) {
    case 'tenants':
      return '/tenants';
    case 'tenant':
      return `/tenants/${encodeURIComponent(route.id)}`;
    case 'activity':
      return `/tenants/${encodeURIComponent(route.id)}/${encodeURIComponent(route.activity)}`;
    default:
      return '/';
  }
}

/** The address of a route; parseRoute reads it back. */
export function formatRoute(route: Route): string {
  const query = new URLSearchParams();
  if (route.range !== DEFAULT_RANGE) query.set('range', route.range);
  if (route.page === 'tenants') {
    if (route.search) query.set('search', route.search);
    if (route.sort !== ALL_TENANTS.sort) query.set('sort', route.sort);
    if (route.cursor) query.set('cursor', route.cursor);
  }
  const text = query.toString();
  return `#${pathOf(route)}${text ? `?${text}` : ''}`;
}

/** The place above: of a route its tenant, of a tenant the table, of that the platform; none above a tenant for itself. */
export function above(route: Route, operator: boolean): Route | undefined {
  const { range } = route;
  if (route.page === 'activity') return { page: 'tenant', id: route.id, range };
  if (!operator || route.page === 'platform') return undefined;
  return route.page === 'tenant' ? { ...ALL_TENANTS, range } : { page: 'platform', range };
}
