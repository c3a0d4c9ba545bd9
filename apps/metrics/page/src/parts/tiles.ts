/** The totals of a range, in large. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Amounts, Period } from '../api/views';
import { bytes, count, duration, percent, rate } from '../text/format';
import { type Content, figure } from '../text/figures';

/** One failure in a hundred is trouble; red for fewer would be red everywhere. */
const TROUBLE = 0.01;
export const troubling = ({ calls, errors }: Pick<Amounts, 'calls' | 'errors'>): boolean =>
  errors > 0 && errors >= calls * TROUBLE;

/** By number of tiles. */
const WIDTHS: Readonly<Record<number, string>> = { 6: 'six', 7: 'seven' };

const NOT_TIMED = { unit: 'ms', why: 'Nothing was timed.' } as const;

export interface Tile {
  readonly label: string;
  readonly main: Content;
  readonly more: Content;
  readonly trouble?: boolean;
  readonly href?: string;
}

function tile({ label, main, more, trouble, href }: Tile): TemplateResult {
  return html`<div class="tile ${trouble ? 'trouble' : ''}">
    <dt>${href ? html`<a href=${href}>${label}</a>` : label}</dt>
    <dd class="main">${main}</dd>
    <dd class="more">${more}</dd>
  </div>`;
}

/** None of one route: the database is counted for all together. */
function databaseTile({ database_ms: ms, queries }: Amounts): Tile[] {
  if (ms === null || queries === null) return [];
  const more = html`${figure(queries, count, { unit: 'statements' })} statements`;
  return [{ label: 'Time of the database', main: figure(ms, duration, { unit: 'ms' }), more }];
}

export function tiles(totals: Amounts, { from, to }: Period, more: readonly Tile[] = []): TemplateResult {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  const tried = totals.calls + totals.refusals;
  const all: Tile[] = [
    {
      label: 'Requests',
      main: figure(totals.calls, count, { unit: 'requests' }),
      more: html`${figure(totals.calls / seconds, rate)} on average`,
    },
    {
      label: 'Errors',
      main: figure(totals.errors, count, { unit: 'requests' }),
      more: totals.calls > 0 ? html`${figure(totals.errors / totals.calls, percent)} of requests` : nothing,
      trouble: troubling(totals),
    },
    {
      label: 'Refused by limits',
      main: figure(totals.refusals, count, { unit: 'requests' }),
      more: tried > 0 ? html`${figure(totals.refusals / tried, percent)} of all` : nothing,
    },
    {
      label: 'Latency, p95',
      main: figure(totals.p95_ms, duration, NOT_TIMED),
      more: html`<span class="pair">p50 ${figure(totals.p50_ms, duration, NOT_TIMED)}</span>
        <span class="pair">p99 ${figure(totals.p99_ms, duration, NOT_TIMED)}</span>`,
    },
    {
      label: 'Time at work',
      main: figure(totals.busy_ms, duration, { unit: 'ms' }),
      more: html`jobs ${figure(totals.job_ms, duration, { unit: 'ms' })}`,
    },
    ...databaseTile(totals),
    {
      label: 'Sent',
      main: figure(totals.bytes_out, bytes, { unit: 'bytes' }),
      more: html`${figure(totals.bytes_out / seconds, (value) => `${bytes(value)}/s`)} on average`,
    },
    ...more,
  ];
  return html`<dl class="tiles ${WIDTHS[all.length] ?? ''}">${all.map(tile)}</dl>`;
}
