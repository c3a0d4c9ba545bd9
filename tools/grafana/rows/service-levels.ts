/** Error budgets by tier and objective, and how fast they burn. */
import type { Row } from '../dashboard';
import { series } from '../panels';

const OBJECTIVE = 'tier_objective:stockyard_slo_objective:max';
const burn = (window: string) => ({
  expr: `tier_objective:stockyard_slo_bad:ratio_rate${window} / (1 - ${OBJECTIVE})`,
  legend: `{{tier}} {{objective}} ${window}`,
});
const BUDGET = { unit: 'percentunit', runbook: 'slo-budget-burn' } as const;

export const SERVICE_LEVELS: Row = {
  title: 'Service levels',
  panels: [
    series({ title: 'Budget left', description: 'Of 30 days, by tier and objective.', width: 8, ...BUDGET }, [
      { expr: 'tier_objective:stockyard_slo_budget:remaining_ratio30d', legend: '{{tier}} {{objective}}' },
    ]),
    series(
      {
        title: 'Burn, fast',
        description: '1 uses up the budget of 30 days in 30 days. A page goes out where both windows are above 14.4.',
        width: 8,
        unit: 'none',
        runbook: 'slo-budget-burn',
        alertsAt: 14.4,
      },
      [burn('5m'), burn('1h')],
    ),
    series(
      {
        title: 'Burn, slow',
        description: 'The same over longer windows: a ticket above 3.',
        width: 8,
        unit: 'none',
        runbook: 'slo-budget-burn',
        alertsAt: 3,
      },
      [burn('2h'), burn('1d')],
    ),
  ],
};
