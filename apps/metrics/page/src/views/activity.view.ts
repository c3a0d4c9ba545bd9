/** One route, or one type of jobs, of a tenant. */
import { html, type TemplateResult } from 'lit-html';
import type { ActivityView } from '../api/views';
import type { PageContext } from '../app/page-context';
import { chartSection } from '../charts/chart-section';
import { badge } from '../parts/sections';
import { tiles } from '../parts/tiles';
import { words } from '../text/format';

export function activityPage(view: ActivityView, context: PageContext): TemplateResult {
  const { name, slug, tier, state, organization_id: id } = view.organization;
  return html`<p class="who">
      <a href=${context.link({ page: 'tenant', id, range: context.route.range })}>${name}</a>
      ${badge(words(tier))} ${badge(state, state === 'active' ? 'calm' : 'accent')} <span>${slug}</span>
    </p>
    ${tiles(view.totals, view.period)}
    ${chartSection({
      period: view.period,
      series: view.series,
      theme: context.theme,
      asTable: context.asTable,
      onToggle: context.toggleTable,
    })}`;
}
