/** Every tenant in a table, of one look that all readers share. Searching and sorting are done in memory: thousands of rows are few. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { Clock, type ShapeType, StockyardError } from '#libs/kernel';
import { ActivityCell, activityFigures, ActivityTotalsRepository } from '#libs/usage';
import { MonthCosts } from '../month-costs.service';
import { RANGE_NAMES, type RangeName, type TENANTS_QUERY, type TenantsView } from '../dashboard.shape';
import { SharedView } from '../shared-view';
import { viewPeriod } from '../view-period';
import { ResidentsRepository } from './residents.repository';
import { TableOrder } from './table-order';
import { matches, type Row } from './table-row';

interface Table {
  readonly taken_at: string;
  readonly period: TenantsView['period'];
  readonly rows: readonly Row[];
  readonly missing: string[];
}

const NOTHING = activityFigures(new ActivityCell());

@Injectable()
export class TenantsTable {
  private readonly tables: ReadonlyMap<RangeName, SharedView<Table>>;

  constructor(
    private readonly activity: ActivityTotalsRepository,
    private readonly residents: ResidentsRepository,
    private readonly costs: MonthCosts,
    private readonly clock: Clock,
    @Inject(APP_CONFIG) { METRICS_COLLECT_MS }: Pick<AppConfig, 'METRICS_COLLECT_MS'>,
  ) {
    this.tables = new Map(
      RANGE_NAMES.map((range) => [range, new SharedView(METRICS_COLLECT_MS, () => this.table(range))]),
    );
  }

  /** Throws `invalid_cursor` (400), `directory_unavailable` (503). */
  async page({ range, search, sort, limit, cursor }: ShapeType<typeof TENANTS_QUERY>): Promise<TenantsView> {
    const [table, costs] = await Promise.all([this.tables.get(range)!.look(), this.costs.all()]);
    const { period, rows, missing } = table.view;
    const order = new TableOrder(sort, (id) => costs.of(id)?.total_micros ?? null);
    const found = order.sorted(rows.filter((row) => matches(row, search)));
    const rest = cursor === undefined ? found : order.behind(found, cursor);
    const data = rest.slice(0, limit);
    const hasMore = rest.length > limit;
    return {
      period,
      matches: found.length,
      data: data.map(({ id, figures, ...resident }) => {
        return { organization_id: id, ...resident, ...figures, cost: costs.of(id) };
      }),
      has_more: hasMore,
      next_cursor: hasMore ? order.cursor(data.at(-1)!) : null,
      missing: [...missing, ...costs.missing],
    };
  }

  private async table(range: RangeName): Promise<Table> {
    const now = this.clock.nowMs();
    const { parts, shown } = viewPeriod(range, now);
    const [{ tenants, missing }, residents] = await Promise.all([
      this.activity.ofTenants(parts),
      this.residents.all().catch((error: unknown) => {
        throw directoryAway(error);
      }),
    ]);
    return {
      taken_at: new Date(now).toISOString(),
      period: shown,
      rows: residents.map((resident) => {
        const cell = tenants.get(resident.id);
        return { ...resident, figures: cell ? activityFigures(cell) : NOTHING };
      }),
      missing: missing.map(
        (shard) => `Shard ${shard} did not answer from its primary in time: its organizations seem to do nothing.`,
      ),
    };
  }
}

/** Nobody can say what a table would be without the names. */
function directoryAway(cause: unknown): StockyardError {
  return new StockyardError({
    code: 'directory_unavailable',
    category: 'unavailable',
    message: 'The directory of organizations does not answer at the moment. Retry.',
    retryAfterSeconds: 5,
    cause,
  });
}
