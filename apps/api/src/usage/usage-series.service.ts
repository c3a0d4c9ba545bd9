/** Asks the metrics process for what the current tenant did, point by point: a page, or all of a period as CSV. */
import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import { page } from '#libs/http';
import { decodeCursor, type ShapeType } from '#libs/kernel';
import { PlatformQuestions, type UsagePoint } from '#libs/messaging';
import { TenantContextHolder } from '#libs/tenancy';
import { type Granularity, seriesPeriod } from '#libs/usage';
import { seriesCsv, type SERIES, seriesPointBody, type USAGE_QUERY } from './usage.shape';

type SeriesQuery = ShapeType<typeof USAGE_QUERY> & { readonly granularity: Granularity };
type After = { readonly period_start: string; readonly activity: string } | null;

/** Points of one question for a file. */
const CSV_PAGE = 500;

const isTime = (text: string): boolean => !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text;

@Injectable()
export class UsageSeriesService {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly questions: PlatformQuestions,
  ) {}

  /** Throws `invalid_period`, `invalid_cursor`, or `metrics_unavailable` (503). */
  async page(query: SeriesQuery): Promise<ShapeType<typeof SERIES>> {
    const series = this.series(query);
    const points = await series.ask(afterOf(query.cursor), query.limit + 1);
    const { from, to, granularity, organization_id } = series.asked;
    return {
      ...{ organization_id, from, to, granularity, group_by: query.group_by },
      ...page(points.map(seriesPointBody), query.limit, ({ period_start, activity }) => [period_start, activity ?? '']),
    };
  }

  /** Every point of the period. Breaks off where the metrics process stops answering half way. */
  async csv(query: SeriesQuery): Promise<StreamableFile> {
    const { ask } = this.series(query);
    const first = await ask(null, CSV_PAGE);
    return new StreamableFile(Readable.from(lines(first, ask)), {
      type: 'text/csv; charset=utf-8',
      disposition: 'attachment; filename="usage.csv"',
    });
  }

  private series(query: SeriesQuery) {
    const { granularity, group_by } = query;
    const { from, to } = seriesPeriod(granularity, query);
    const asked = {
      ...{ organization_id: this.tenant.current().organizationId, granularity, by_route: group_by === 'route' },
      ...{ from: from.toISOString(), to: to.toISOString() },
    };
    const ask = async (after: After, limit: number) =>
      (await this.questions.ask('usage.series', { ...asked, after, limit })).points;
    return { asked, ask };
  }
}

async function* lines(
  first: readonly UsagePoint[],
  ask: (after: After, limit: number) => Promise<readonly UsagePoint[]>,
): AsyncGenerator<Buffer> {
  yield Buffer.from(seriesCsv(first, { head: true }));
  for (let points = first; points.length === CSV_PAGE;) {
    const { period_start, activity } = points[points.length - 1]!;
    points = await ask({ period_start, activity }, CSV_PAGE);
    yield Buffer.from(seriesCsv(points, { head: false }));
  }
}

function afterOf(cursor: string | undefined): After {
  if (cursor === undefined) return null;
  const [period_start, activity] = decodeCursor(cursor, [isTime, () => true]) as [string, string];
  return { period_start, activity };
}
