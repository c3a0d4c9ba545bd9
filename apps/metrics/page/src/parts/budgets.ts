/** Budgets of errors: what is left of thirty days, and how fast it burns. */
import type { TemplateResult } from 'lit-html';
import { html } from 'lit-html';
import type { Budget } from '../api/views';
import { count, percent, times, words } from '../text/format';
import { figure } from '../text/figures';
import { bar } from './bar';
import { table } from './table';

/** From here on a burn wakes somebody: see docs/slo.md. */
const BURN_1H = 14.4;
const BURN_6H = 6;
const NONE = { why: 'No requests that count in this time.' } as const;

const burns = ({ burn_1h: hour, burn_6h: six }: Budget): boolean => (hour ?? 0) >= BURN_1H || (six ?? 0) >= BURN_6H;
const troubled = (budget: Budget): boolean => burns(budget) || (budget.remaining_ratio ?? 1) <= 0;

export const budgetsTable = (budgets: readonly Budget[]): TemplateResult =>
  table<Budget>({
    caption: 'Budgets of 30 days',
    quiet: true,
    rows: budgets,
    key: ({ tier, objective }) => `${tier} ${objective}`,
    empty: 'No objectives are set.',
    trouble: troubled,
    columns: [
      { label: 'Tier', cell: ({ tier }) => words(tier) },
      { label: 'Objective', cell: ({ objective, target }) => html`${words(objective)} ${figure(target, percent)}` },
      {
        label: 'Left',
        cell: (budget) =>
          html`<span class="with-bar"
            >${bar(budget.remaining_ratio ?? 0, troubled(budget) ? 'trouble' : 'calm')}
            ${figure(budget.remaining_ratio, percent, NONE)}</span
          >`,
      },
      { label: 'Burn, 1 h', numeric: true, cell: ({ burn_1h: burn }) => figure(burn, times, NONE) },
      { label: 'Burn, 6 h', numeric: true, cell: ({ burn_6h: burn }) => figure(burn, times, NONE) },
      { label: 'Missed', numeric: true, cell: ({ bad }) => figure(bad, count, { unit: 'requests' }) },
      { label: 'Of', numeric: true, cell: ({ events }) => figure(events, count, { unit: 'requests' }) },
    ],
  });
