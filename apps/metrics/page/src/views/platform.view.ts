/** The platform, for operators. */
import { html, type TemplateResult } from 'lit-html';
import type { PlatformView } from '../api/views';
import type { PageContext } from '../app/page-context';
import { ALL_TENANTS } from '../app/route';
import { chartSection } from '../charts/chart-section';
import { budgetsTable } from '../parts/budgets';
import { missingBanner, section } from '../parts/sections';
import { tiles } from '../parts/tiles';
import { count } from '../text/format';
import { type Content, figure, unknown } from '../text/figures';
import { processes, queues, releases, replicas, shards } from './infrastructure';
import { scaling } from './scaling';

function tenantsByState({ organizations }: PlatformView): { main: Content; more: Content } {
  if (organizations === null) return { main: unknown('The directory did not answer.'), more: '' };
  const states = Object.entries(organizations).sort(([, a], [, b]) => b - a);
  const [first, ...others] = states;
  if (!first) return { main: 'none', more: '' };
  return {
    main: html`${figure(first[1], count, { unit: 'tenants' })} <small>${first[0]}</small>`,
    more: others.map(
      ([state, many], index) => html`${index > 0 ? ' · ' : ''}${figure(many, count, { unit: 'tenants' })} ${state}`,
    ) as unknown as Content,
  };
}

export function platformPage(view: PlatformView, context: PageContext): TemplateResult {
  const all = context.link({ ...ALL_TENANTS, range: context.route.range });
  return html`${missingBanner(view.missing)}
    ${tiles(view.totals, view.period, [{ label: 'Tenants', ...tenantsByState(view), href: all }])}
    ${chartSection({
      ...view,
      theme: context.theme,
      asTable: context.asTable,
      onToggle: context.toggleTable,
    })}
    <div class="panels">
      ${section('Error budgets', budgetsTable(view.budgets), { about: 'Of 30 days, by tier' })}
      ${section('Autoscaling', scaling(view), { about: 'What it would do now' })}
      ${section('Queues', queues(view.queues))} ${section('Processes', processes(view.processes))}
      ${section('Shards', shards(view.shards))} ${section('Replicas', replicas(view.replicas))}
      ${section('Releases', releases(view.deploys), { about: 'Marked in the charts' })}
    </div>`;
}
