/** One tenant: what it did, what it may still do, what it costs. Operators see it, and the tenant itself. */
import { html, type TemplateResult } from 'lit-html';
import type { TenantView } from '../api/views';
import type { PageContext } from '../app/page-context';
import { chartSection } from '../charts/chart-section';
import { budgetsTable } from '../parts/budgets';
import { badge, missingBanner, section } from '../parts/sections';
import { tiles } from '../parts/tiles';
import { bytes, count, words } from '../text/format';
import { type Content, cost, figure } from '../text/figures';
import { limits } from './limits';
import { routes } from './routes';

function jobsAndFiles({ jobs, bytes_stored: stored }: TenantView): Content {
  const job = { unit: 'jobs', why: 'The queues did not answer.' } as const;
  return html`<dl class="facts">
    <dt>Jobs waiting</dt>
    <dd>${figure(jobs?.waiting, count, job)}</dd>
    <dt>Jobs running</dt>
    <dd>${figure(jobs?.running, count, job)}</dd>
    <dt>Jobs that failed for good</dt>
    <dd class=${(jobs?.dead_letters ?? 0) > 0 ? 'trouble-text' : ''}>${figure(jobs?.dead_letters, count, job)}</dd>
    <dt>Files kept</dt>
    <dd>${figure(stored, bytes, { unit: 'bytes', why: 'Nobody could tell how much is kept.' })}</dd>
  </dl>`;
}

function who({ organization: { organization_id: id, slug, tier, state, shard } }: TenantView): TemplateResult {
  return html`<p class="who">
    ${badge(words(tier))} ${badge(state, state === 'active' ? 'calm' : 'accent')}
    <span>${slug}</span>
    <code>${id}</code>
    ${shard === null ? '' : html`<span>on shard ${shard}</span>`}
  </p>`;
}

export function tenantPage(view: TenantView, context: PageContext): TemplateResult {
  return html`${who(view)} ${missingBanner(view.missing)}
    ${tiles(view.totals, view.period, [{ label: 'Cost', main: cost(view.cost), more: 'this month so far' }])}
    ${chartSection({
      period: view.period,
      series: view.series,
      theme: context.theme,
      asTable: context.asTable,
      onToggle: context.toggleTable,
    })}
    ${section('Routes and jobs', routes(view.routes, context), { wide: true, about: 'The most time first' })}
    <div class="panels">
      ${section('Limits', limits(view.limits), { about: 'What is left' })}

      <div class="stack">
        ${section('Error budgets', budgetsTable(view.budgets), { about: 'Of 30 days' })}
        ${section('Jobs and files', jobsAndFiles(view), { about: 'Now' })}
      </div>
    </div>`;
}
