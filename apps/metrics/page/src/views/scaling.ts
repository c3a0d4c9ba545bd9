/** What autoscaling would do now, and why. */
import { html, type TemplateResult } from 'lit-html';
import type { PlatformView } from '../api/views';
import { bar } from '../parts/bar';
import { badge } from '../parts/sections';
import { table } from '../parts/table';
import { plain, words } from '../text/format';
import { type Content, figure, unknown } from '../text/figures';

type Decision = PlatformView['decisions'][number];
type Trigger = PlatformView['triggers'][number];

function verdict({ action, processes, wanted }: Decision): Content {
  if (action === 'add' || action === 'remove') {
    const difference = processes === null || wanted === null ? undefined : Math.abs(wanted - processes);
    return badge(difference === undefined ? `would ${action}` : `would ${action} ${difference}`, 'accent');
  }
  return action === 'keep' ? badge('would keep') : unknown('Too little is known to decide.');
}

const decision = (one: Decision): TemplateResult =>
  html`<li>
    <strong>${one.process}</strong>
    <span>${figure(one.processes, plain)} running, ${figure(one.wanted, plain)} wanted</span>
    ${verdict(one)}
  </li>`;

export const scaling = ({ decisions, triggers }: PlatformView): TemplateResult =>
  html`<ul class="decisions">
      ${decisions.map(decision)}
    </ul>
    ${table<Trigger>({
      caption: 'Triggers of autoscaling',
      quiet: true,
      rows: triggers,
      key: ({ process, trigger }) => `${process} ${trigger}`,
      empty: 'No triggers are set.',
      columns: [
        { label: 'Trigger', cell: ({ trigger }) => words(trigger) },
        { label: 'Process', cell: ({ process }) => process },
        {
          label: 'Now',
          cell: ({ value, threshold }) =>
            html`<span class="with-bar">${bar((value ?? 0) / threshold)} ${figure(value, plain)}</span>`,
        },
        {
          label: 'Threshold',
          numeric: true,
          cell: ({ threshold, unit }) => html`${figure(threshold, plain, { unit })} <small>${unit}</small>`,
        },
        { label: 'Wants', numeric: true, cell: ({ wanted }) => figure(wanted, plain, { unit: 'processes' }) },
        {
          label: 'State',
          cell: ({ fires, value }) => (value === null ? unknown() : fires ? badge('fires', 'accent') : badge('quiet')),
        },
      ],
    })}`;
