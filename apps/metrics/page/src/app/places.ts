/** Which view a place shows, and how it is kept up to date. */
import type { TemplateResult } from 'lit-html';
import type { Client } from '../api/client';
import type { ActivityView, PlatformView, SessionView, TenantsView, TenantView } from '../api/views';
import { poll, stream } from '../live/attempts';
import type { Attempt } from '../live/feed';
import type { Crumb } from '../parts/frame';
import { activityPage } from '../views/activity.view';
import { platformPage } from '../views/platform.view';
import { tenantPage } from '../views/tenant.view';
import { tenantsPage } from '../views/tenants.view';
import type { PageContext } from './page-context';
import { ALL_TENANTS, formatRoute, type Route } from './route';

export type View = PlatformView | TenantsView | TenantView | ActivityView;

const TENANTS_OF_A_PAGE = '50';

/** How a route's view is got; undefined where there is nothing. */
export function attemptOf(route: Route, client: Client): Attempt<View> | undefined {
  const { range } = route;
  switch (route.page) {
    case 'platform':
      return stream(client, { path: 'platform', query: { range } });
    case 'tenant':
      return stream(client, { path: `tenants/${encodeURIComponent(route.id)}`, query: { range } });
    case 'activity': {
      const query = { range, activity: route.activity };
      return poll(client, { path: `tenants/${encodeURIComponent(route.id)}/activity`, query });
    }
    case 'tenants': {
      const { search, sort, cursor } = route;
      const query = { range, sort, limit: TENANTS_OF_A_PAGE, ...(search && { search }), ...(cursor && { cursor }) };
      return poll(client, { path: 'tenants', query });
    }
    case 'nowhere':
      return undefined;
  }
}

/** What stays the same while only the range, the search or the page of a table changes: the view before it stays until the next is there. */
export const samePlace = (a: Route, b: Route): boolean => {
  if (a.page === 'tenants' && b.page === 'tenants') return true;
  const [one, other] = [a, b].map((route) => formatRoute({ ...route, range: '1h' }));
  return a.page === b.page && one === other;
};

/** A tenant begins at its own page, and has no other tenants to look at. */
export function allowed(route: Route, session: SessionView): Route {
  const { organization_id: own } = session;
  if (session.reader === 'operator' || own === null || route.page !== 'platform') return route;
  return { page: 'tenant', id: own, range: route.range };
}

export function pageOf(route: Route, view: View | undefined, context: PageContext): TemplateResult | undefined {
  if (route.page === 'tenants') return tenantsPage(view as TenantsView | undefined, context);
  if (view === undefined) return undefined;
  if (route.page === 'platform') return platformPage(view as PlatformView, context);
  return route.page === 'tenant'
    ? tenantPage(view as TenantView, context)
    : activityPage(view as ActivityView, context);
}

function tenantName(view: View | undefined, session: SessionView): string {
  if (view && 'organization' in view) return view.organization.name;
  return session.name ?? 'Tenant';
}

export function titleOf(route: Route, view: View | undefined, session: SessionView): string {
  switch (route.page) {
    case 'platform':
      return 'Platform';
    case 'tenants':
      return 'Tenants';
    case 'tenant':
      return tenantName(view, session);
    case 'activity':
      return route.activity;
    case 'nowhere':
      return 'Nothing here';
  }
}

/** The way from the top to here; the last one is here. */
export function crumbsOf(route: Route, view: View | undefined, session: SessionView): Crumb[] {
  const { range } = route;
  const operator = session.reader === 'operator';
  const link = (text: string, to: Route): Crumb => ({ text, href: formatRoute(to) });
  const tenants: Crumb[] = operator ? [link('Tenants', { ...ALL_TENANTS, range })] : [];
  const top: Crumb[] = operator ? [link('Platform', { page: 'platform', range })] : [];
  switch (route.page) {
    case 'platform':
      return [{ text: 'Platform' }, ...tenants];
    case 'tenants':
      return [...top, { text: 'Tenants' }];
    case 'tenant':
      return [...top, ...tenants, { text: tenantName(view, session) }];
    case 'activity':
      return [
        ...top,
        ...tenants,
        link(tenantName(view, session), { page: 'tenant', id: route.id, range }),
        { text: route.activity },
      ];
    case 'nowhere':
      return [...top, { text: 'Nothing here' }];
  }
}
