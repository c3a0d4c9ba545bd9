/** The routes and types of jobs of a tenant. There are 100 at most, so that this page sorts and narrows them. */
import { html, type TemplateResult } from 'lit-html';
import type { TenantView } from '../api/views';
import type { PageContext } from '../app/page-context';
import { type Column, table } from '../parts/table';
import { troubling } from '../parts/tiles';
import { bytes, count, duration } from '../text/format';
import { figure } from '../text/figures';

type Row = TenantView['routes'][number];

const timed = { unit: 'ms', why: 'Nothing was timed.' } as const;
const TABLE = 'routes';

const KEYS: Readonly<Record<string, (row: Row) => number>> = {
  calls: (row) => row.calls,
  errors: (row) => row.errors,
  refusals: (row) => row.refusals,
  p95: (row) => row.p95_ms ?? -1,
  busy: (row) => row.busy_ms,
  sent: (row) => row.bytes_out,
};

function columns(id: string, context: PageContext): Column<Row>[] {
  const { range } = context.route;
  return [
    {
      label: 'Route or job',
      sort: 'activity',
      ascending: true,
      cell: ({ activity }) =>
        html`<a class="name" href=${context.link({ page: 'activity', id, activity, range })}>${activity}</a>`,
    },
    { label: 'Calls', numeric: true, sort: 'calls', cell: ({ calls }) => figure(calls, count) },
    {
      label: 'Errors',
      numeric: true,
      sort: 'errors',
      cell: (row) => html`<span class=${troubling(row) ? 'trouble-text' : ''}>${figure(row.errors, count)}</span>`,
    },
    { label: 'Refused', numeric: true, sort: 'refusals', cell: ({ refusals }) => figure(refusals, count) },
    { label: 'p50', numeric: true, cell: ({ p50_ms: p50 }) => figure(p50, duration, timed) },
    { label: 'p95', numeric: true, sort: 'p95', cell: ({ p95_ms: p95 }) => figure(p95, duration, timed) },
    { label: 'p99', numeric: true, cell: ({ p99_ms: p99 }) => figure(p99, duration, timed) },
    { label: 'At work', numeric: true, sort: 'busy', cell: ({ busy_ms: ms }) => figure(ms, duration, timed) },
    { label: 'Jobs', numeric: true, cell: ({ job_ms: ms }) => figure(ms, duration, timed) },
    {
      label: 'Sent',
      numeric: true,
      sort: 'sent',
      cell: ({ bytes_out: sent }) => figure(sent, bytes, { unit: 'bytes' }),
    },
  ];
}

export function routes(all: readonly Row[], context: PageContext): TemplateResult {
  const { route, sorts, sortBy, filter, filterBy } = context;
  const sorted = sorts.get(TABLE) ?? 'busy';
  const of = KEYS[sorted];
  const wanted = filter.trim().toLowerCase();
  const rows = all
    .filter(({ activity }) => activity.toLowerCase().includes(wanted))
    .sort((a, b) => (of ? of(b) - of(a) : a.activity.localeCompare(b.activity)));
  const id = route.page === 'tenant' ? route.id : '';
  return html`${
    all.length > 0
      ? html`<label class="search">
          <span class="hidden">Narrow the routes</span>
          <input
            type="search"
            data-search
            autocomplete="off"
            spellcheck="false"
            placeholder="Part of a route   /"
            .value=${filter}
            @input=${(event: Event) => filterBy((event.target as HTMLInputElement).value)}
          />
        </label>`
      : ''
  }
  ${table<Row>({
    caption: 'Routes and types of jobs',
    quiet: true,
    columns: columns(id, context),
    rows,
    key: ({ activity }) => activity,
    empty: all.length === 0 ? 'Nothing was asked of any route in this range.' : `No route holds “${filter.trim()}”.`,
    sorted,
    onSort: (key) => sortBy(TABLE, key),
  })}`;
}
