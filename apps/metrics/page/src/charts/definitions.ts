/** The charts of a series: what each line is and how it is told. */
import { byteRate, count, duration, percent, rate } from '../text/format';
import type { Point } from '../api/views';
import type { Slot } from './slots';

export type Tone = 'accent' | 'strong' | 'soft' | 'trouble' | 'muted';

export interface Line {
  readonly label: string;
  readonly tone: Tone;
  readonly dashed?: true;
  /** Null: nothing to tell of, which leaves a gap. */
  of(slot: Slot): number | null;
}

export interface ChartDefinition {
  readonly title: string;
  readonly about: string;
  readonly lines: readonly Line[];
  /** Fills below its first line. */
  readonly area?: true;
  format(value: number): string;
}

type Counted = 'calls' | 'errors' | 'refusals' | 'busy_ms' | 'job_ms' | 'database_ms' | 'queries' | 'bytes_out';

const perSecond = (name: Counted) => (slot: Slot) => (slot.point?.[name] ?? 0) / slot.seconds;
const atOnce = (name: Counted) => (slot: Slot) => (slot.point?.[name] ?? 0) / 1000 / slot.seconds;

/** Those that the series can fill: the database is counted for all together, not by route. */
export function chartsOf(series: readonly Point[]): readonly ChartDefinition[] {
  if (!series.every(({ queries }) => queries === null)) return CHARTS;
  return CHARTS.filter(({ title }) => title !== STATEMENTS).map((chart) => ({
    ...chart,
    lines: chart.lines.filter(({ label }) => label !== DATABASE),
  }));
}

const STATEMENTS = 'Statements';
const DATABASE = 'database';

export const CHARTS: readonly ChartDefinition[] = [
  {
    title: 'Load',
    about: 'Requests a second',
    area: true,
    format: rate,
    lines: [
      { label: 'let in', tone: 'accent', of: perSecond('calls') },
      { label: 'refused', tone: 'muted', dashed: true, of: perSecond('refusals') },
    ],
  },
  {
    title: 'Errors',
    about: 'Share answered with 500 or more',
    area: true,
    format: percent,
    lines: [
      {
        label: 'failed',
        tone: 'trouble',
        of: ({ point }) => (point && point.calls > 0 ? point.errors / point.calls : null),
      },
    ],
  },
  {
    title: 'Latency',
    about: 'Milliseconds until the answer',
    format: duration,
    lines: [
      { label: 'p99', tone: 'soft', of: ({ point }) => point?.p99_ms ?? null },
      { label: 'p95', tone: 'accent', of: ({ point }) => point?.p95_ms ?? null },
      { label: 'p50', tone: 'strong', of: ({ point }) => point?.p50_ms ?? null },
    ],
  },
  {
    title: 'At work',
    about: 'How many at once',
    format: count,
    lines: [
      { label: 'all', tone: 'accent', of: atOnce('busy_ms') },
      { label: 'jobs', tone: 'muted', dashed: true, of: atOnce('job_ms') },
      { label: DATABASE, tone: 'strong', of: atOnce('database_ms') },
    ],
  },
  {
    title: STATEMENTS,
    about: 'Sent to the database a second',
    area: true,
    format: rate,
    lines: [{ label: 'statements', tone: 'accent', of: perSecond('queries') }],
  },
  {
    title: 'Answers',
    about: 'Bytes of their bodies a second',
    area: true,
    format: byteRate,
    lines: [{ label: 'sent', tone: 'accent', of: perSecond('bytes_out') }],
  },
];

/** What a chart shows, for those who do not see it. */
export function summaryOf(chart: ChartDefinition, slots: readonly Slot[]): string {
  const told = chart.lines.map(({ label, of }) => {
    const values = slots.map(of).filter((value) => value !== null);
    if (values.length === 0) return `${label}: nothing to tell`;
    return `${label}: latest ${chart.format(values.at(-1)!)}, highest ${chart.format(Math.max(...values))}`;
  });
  return `${chart.title}. ${chart.about}. ${told.join('; ')}.`;
}
