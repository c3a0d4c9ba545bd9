/** Limits as bars: what is used, and what is left. */
import { html, type TemplateResult } from 'lit-html';
import type { Limit } from '../api/views';
import { bar } from '../parts/bar';
import { bytes, count, seconds, words } from '../text/format';
import { type Content, figure } from '../text/figures';

/** A tenth. */
const NEARLY_USED_UP = 0.1;

const formatOf = ({ unit }: Limit): ((value: number) => string) => (unit === 'bytes' ? bytes : count);

/** `6,000 requests in 1 min`. */
function most(limit: Limit): Content {
  const of = figure(limit.limit, formatOf(limit), { unit: limit.unit });
  const unit = limit.unit === 'bytes' ? '' : ` ${limit.unit}`;
  if (limit.kind !== 'rate' || limit.window_seconds === null) return html`${of}${unit}`;
  return html`${of}${unit} in ${figure(limit.window_seconds, seconds, { unit: 's' })}`;
}

function row(limit: Limit): TemplateResult {
  const { name, used, left, unit } = limit;
  const share = used === null || limit.limit <= 0 ? 0 : used / limit.limit;
  const trouble = left !== null && left <= limit.limit * NEARLY_USED_UP;
  const why = { unit, why: 'It cannot be told at the moment.' };
  return html`<li class=${trouble ? 'trouble' : ''}>
    <span class="limit-name" title=${name}>${words(name)}</span>
    <span class="limit-left"
      >${left !== null && left <= 0 ? 'used up, ' : ''}${figure(left, formatOf(limit), why)} left</span
    >
    ${bar(share, trouble ? 'trouble' : 'calm')}
    <span class="limit-used">${figure(used, formatOf(limit), why)} of ${most(limit)}</span>
  </li>`;
}

export const limits = (all: readonly Limit[]): TemplateResult =>
  all.length === 0
    ? html`<p class="empty">No limits are set.</p>`
    : html`<ul class="limits">
        ${all.map(row)}
      </ul>`;
