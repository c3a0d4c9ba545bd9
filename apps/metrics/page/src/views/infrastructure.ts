/** Tables of what the platform runs on: queues, processes, replicas, shards, releases. */
import { html, type TemplateResult } from 'lit-html';
import type { Deploy, PlatformView } from '../api/views';
import { bar } from '../parts/bar';
import { badge } from '../parts/sections';
import { table } from '../parts/table';
import { bytes, clock, count, day, duration, percent, rate, seconds } from '../text/format';
import { ago, type Content, figure, moment, unknown } from '../text/figures';

type Queue = NonNullable<PlatformView['queues']>[number];
type Process = NonNullable<PlatformView['processes']>[number];
type Replica = PlatformView['replicas'][number];
type Shard = PlatformView['shards'][number];

/** A process that has so little left is in trouble. */
const NEARLY_FULL = 0.9;

const nobodySaid = (what: string): TemplateResult => html`<p class="empty">${unknown()} ${what}</p>`;
const share = (ratio: number): Content =>
  html`<span class="with-bar"
    >${bar(ratio, ratio >= NEARLY_FULL ? 'trouble' : 'calm')} ${figure(ratio, percent)}</span
  >`;
const reachable = (is: boolean): Content => (is ? badge('answers') : badge('does not answer', 'trouble'));

export function queues(rows: readonly Queue[] | null): TemplateResult {
  if (rows === null) return nobodySaid('The queues did not answer.');
  return table<Queue>({
    caption: 'Queues',
    quiet: true,
    rows,
    key: ({ job_class: name }) => name,
    empty: 'There are no queues.',
    trouble: ({ waiting, workers }) => waiting > 0 && workers === 0,
    columns: [
      { label: 'Class', cell: ({ job_class: name }) => name },
      { label: 'Waiting', numeric: true, cell: ({ waiting }) => figure(waiting, count, { unit: 'jobs' }) },
      { label: 'Oldest', numeric: true, cell: ({ oldest_seconds: age }) => figure(age, seconds, { unit: 's' }) },
      { label: 'Backlog', numeric: true, cell: ({ backlog_seconds: age }) => figure(age, seconds, { unit: 's' }) },
      { label: 'Active', numeric: true, cell: ({ active }) => figure(active, count, { unit: 'jobs' }) },
      { label: 'Slots', numeric: true, cell: ({ slots }) => figure(slots, count, { unit: 'jobs' }) },
      { label: 'Workers', numeric: true, cell: ({ workers }) => figure(workers, count, { unit: 'processes' }) },
      { label: 'Delayed', numeric: true, cell: ({ delayed }) => figure(delayed, count, { unit: 'jobs' }) },
      { label: 'Failed', numeric: true, cell: ({ failed }) => figure(failed, count, { unit: 'jobs' }) },
    ],
  });
}

export function processes(rows: readonly Process[] | null): TemplateResult {
  if (rows === null) return nobodySaid('The processes did not say how they are.');
  return table<Process>({
    caption: 'Processes',
    quiet: true,
    rows,
    key: ({ process }) => process,
    empty: 'No process has said how it is.',
    columns: [
      { label: 'Process', cell: ({ process }) => process },
      { label: 'Requests', numeric: true, cell: ({ requests_per_second: calls }) => figure(calls, rate) },
      { label: 'p95', numeric: true, cell: ({ p95_ms: p95 }) => figure(p95, duration, { unit: 'ms' }) },
      { label: 'Processor', cell: ({ cpu_ratio: cpu }) => share(cpu) },
      { label: 'Memory', cell: ({ memory_ratio: memory }) => share(memory) },
    ],
  });
}

export const replicas = (rows: readonly Replica[]): TemplateResult =>
  table<Replica>({
    caption: 'Replicas',
    quiet: true,
    rows,
    key: ({ name }) => name,
    empty: 'There are no replicas: every read goes to a primary.',
    trouble: (replica) => !replica.reachable,
    columns: [
      { label: 'Replica', cell: ({ name }) => name },
      { label: 'State', cell: (replica) => reachable(replica.reachable) },
      { label: 'Behind', numeric: true, cell: ({ lag_ms: lag }) => figure(lag, duration, { unit: 'ms' }) },
      { label: 'To replay', numeric: true, cell: ({ lag_bytes: lag }) => figure(lag, bytes, { unit: 'bytes' }) },
    ],
  });

export const shards = (rows: readonly Shard[]): TemplateResult =>
  table<Shard>({
    caption: 'Shards',
    quiet: true,
    rows,
    key: ({ name }) => name,
    empty: 'There are no shards.',
    trouble: (shard) => !shard.reachable,
    columns: [
      { label: 'Shard', cell: ({ name }) => name },
      { label: 'State', cell: (shard) => reachable(shard.reachable) },
      { label: 'Tenants', numeric: true, cell: ({ organizations }) => figure(organizations, count) },
      { label: 'Size', numeric: true, cell: ({ bytes: size }) => figure(size, bytes, { unit: 'bytes' }) },
      {
        label: 'Connections',
        numeric: true,
        cell: ({ connections, connections_max: most }) => html`${figure(connections, count)} of ${figure(most, count)}`,
      },
    ],
  });

export const releases = (rows: readonly Deploy[]): TemplateResult =>
  table<Deploy>({
    caption: 'Releases of the last 90 days',
    quiet: true,
    rows,
    key: ({ process, version }) => `${process} ${version}`,
    empty: 'No release was seen in the last 90 days.',
    columns: [
      { label: 'Release', cell: ({ version }) => version },
      { label: 'Process', cell: ({ process }) => process },
      {
        label: 'First seen',
        cell: ({ first_seen_at: at }) =>
          html`${moment(at, (time) => `${day(time)} ${clock(time)}`)} <small>${moment(at, ago)}</small>`,
      },
      { label: 'Running', numeric: true, cell: ({ running }) => figure(running, count, { unit: 'processes' }) },
    ],
  });
