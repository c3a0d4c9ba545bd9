/** Every tenant in a table, for operators. The server searches, sorts and pages; the address says by what. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { SortName, TenantsView } from '../api/views';
import type { PageContext } from '../app/page-context';
import type { Route } from '../app/route';
import { badge, missingBanner } from '../parts/sections';
import { type Column, table } from '../parts/table';
import { troubling } from '../parts/tiles';
import { bytes, count, duration, percent, words } from '../text/format';
import { cost, figure } from '../text/figures';

type Row = TenantsView['data'][number];
type TenantsRoute = Extract<Route, { page: 'tenants' }>;

const timed = { unit: 'ms', why: 'Nothing was timed.' } as const;
const TYPING_MS = 250;
let typing: ReturnType<typeof setTimeout> | undefined;
/** As it stands in the box, which keeps a blank at its end while somebody goes on typing. */
let typed = '';

/** How many, and of how many they are. */
function errorsOf(row: Row): TemplateResult {
  const { errors, calls } = row;
  const share = errors > 0 && calls > 0 ? html`<small>${figure(errors / calls, percent)}</small> ` : nothing;
  return html`${share}<span class=${troubling(row) ? 'trouble-text' : ''}>${figure(errors, count)}</span>`;
}

function columns(context: PageContext): Column<Row>[] {
  const { range } = context.route;
  return [
    {
      label: 'Tenant',
      sort: 'name',
      ascending: true,
      cell: ({ organization_id: id, name, slug }) =>
        html`<a class="name" href=${context.link({ page: 'tenant', id, range })}>${name}</a> <small>${slug}</small>`,
    },
    { label: 'Requests', numeric: true, sort: 'calls', cell: ({ calls }) => figure(calls, count) },
    {
      label: 'Errors',
      numeric: true,
      sort: 'errors',
      cell: (row) => errorsOf(row),
    },
    { label: 'Refused', numeric: true, sort: 'refusals', cell: ({ refusals }) => figure(refusals, count) },
    { label: 'p95', numeric: true, sort: 'p95', cell: ({ p95_ms: p95 }) => figure(p95, duration, timed) },
    { label: 'At work', numeric: true, sort: 'busy', cell: ({ busy_ms: ms }) => figure(ms, duration, timed) },
    { label: 'Cost', numeric: true, sort: 'cost', cell: (row) => cost(row.cost) },
    { label: 'Tier', cell: ({ tier }) => words(tier) },
    { label: 'State', cell: ({ state }) => badge(state, state === 'active' ? 'calm' : 'accent') },
    { label: 'p50', numeric: true, cell: ({ p50_ms: p50 }) => figure(p50, duration, timed) },
    { label: 'p99', numeric: true, cell: ({ p99_ms: p99 }) => figure(p99, duration, timed) },
    { label: 'Jobs', numeric: true, cell: ({ job_ms: ms }) => figure(ms, duration, timed) },
    { label: 'Database', numeric: true, cell: ({ database_ms: ms }) => figure(ms, duration, timed) },
    { label: 'Statements', numeric: true, cell: ({ queries }) => figure(queries, count) },
    { label: 'Sent', numeric: true, cell: ({ bytes_out: sent }) => figure(sent, bytes, { unit: 'bytes' }) },
  ];
}

function searchBox(route: TenantsRoute, context: PageContext): TemplateResult {
  const search = (event: Event): void => {
    typed = (event.target as HTMLInputElement).value;
    const text = typed.trim();
    clearTimeout(typing);
    typing = setTimeout(() => {
      const { cursor: _page, ...rest } = route;
      if (text !== route.search) context.go({ ...rest, search: text }, { replace: true });
    }, TYPING_MS);
  };
  return html`<label class="search">
    <span class="hidden">Search tenants</span>
    <input
      type="search"
      data-search
      maxlength="100"
      autocomplete="off"
      spellcheck="false"
      placeholder="Name, slug or id   /"
      .value=${typed.trim() === route.search ? typed : route.search}
      @input=${search}
    />
  </label>`;
}

export function tenantsPage(view: TenantsView | undefined, context: PageContext): TemplateResult {
  const route = context.route as TenantsRoute;
  const { cursor, ...first } = route;
  const found =
    view && html`${figure(view.matches, count, { unit: 'tenants' })} ${view.matches === 1 ? 'tenant' : 'tenants'}`;
  return html`<div class="toolbar">
      ${searchBox(route, context)}
      <p class="about" role="status">${found ?? nothing}</p>
    </div>
    ${
      view
        ? html`${missingBanner(view.missing)}
            <div class="panel wide">
              ${table<Row>({
                caption: 'Tenants, their use in this range and their cost of this month',
                quiet: true,
                columns: columns(context),
                rows: view.data,
                key: (row) => row.organization_id,
                empty: route.search ? `No tenant matches “${route.search}”.` : 'There are no tenants yet.',
                sorted: route.sort,
                onSort: (sort) => context.go({ ...first, sort: sort as SortName }),
              })}
            </div>
            <nav class="pager" aria-label="Pages of tenants">
              ${cursor ? html`<a class="button" href=${context.link(first)}>First page</a>` : nothing}
              ${
                view.has_more && view.next_cursor
                  ? html`<a class="button" href=${context.link({ ...route, cursor: view.next_cursor })}>Next page</a>`
                  : nothing
              }
            </nav>`
        : nothing
    }`;
}
