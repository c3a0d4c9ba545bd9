/** A run as text: what happened over time, and what to think of it. */
import type { Row, Run } from '../simulate';
import type { Verdict } from '../verdict';

interface Column {
  readonly title: string;
  cell(row: Row): string;
}

function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${(seconds * 1_000).toFixed(0)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}

const columns = (run: Run, price: number): readonly Column[] => [
  { title: 'time', cell: ({ at }) => clock(at) },
  { title: run.trace.of === 'requests' ? 'requests/s' : 'jobs/s', cell: ({ load }) => load.toFixed(0) },
  { title: 'pods', cell: ({ replicas }) => String(replicas) },
  { title: 'ready', cell: ({ serving }) => String(serving) },
  { title: 'cpu', cell: ({ cpuUtilization }) => `${(cpuUtilization * 100).toFixed(0)} %` },
  { title: run.trace.of === 'requests' ? 'p95' : 'p95 wait', cell: ({ p95Seconds }) => duration(p95Seconds) },
  { title: 'backlog', cell: ({ backlog }) => backlog.toFixed(0) },
  { title: 'oldest', cell: ({ oldestSeconds }) => duration(oldestSeconds) },
  { title: 'cost', cell: ({ podHours }) => (podHours * price).toFixed(2) },
  { title: 'asked by', cell: ({ by }) => by ?? '' },
];

/** Every row, or one for so much time: its worst p95, backlog and age. */
export function table(run: Run, { everySeconds, price }: { everySeconds: number; price: number }): string {
  const shown = columns(run, price).filter(({ title }) => title !== 'oldest' || run.trace.of === 'jobs');
  const lines = [shown.map(({ title }) => title), ...thin(run.rows, everySeconds).map((row) => shown.map((column) => column.cell(row)))]; // prettier-ignore
  const widths = shown.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, index) => (index === line.length - 1 ? cell : cell.padStart(widths[index]!)))
        .join('  ')
        .trimEnd(),
    ) // prettier-ignore
    .join('\n');
}

export function thin(rows: readonly Row[], everySeconds: number): Row[] {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const group = Math.floor(row.at / everySeconds);
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  return [...groups.values()].map((group) => ({
    ...group.at(-1)!,
    at: group[0]!.at,
    p95Seconds: Math.max(...group.map(({ p95Seconds }) => p95Seconds)),
    backlog: Math.max(...group.map(({ backlog }) => backlog)),
    oldestSeconds: Math.max(...group.map(({ oldestSeconds }) => oldestSeconds)),
  }));
}

export function verdictLines(run: Run, verdict: Verdict, currency: string): string {
  const { keepsSlo, misses, inTime, failed, lateSeconds, swings, oscillates, mostReplicas, podHours, cost } = verdict;
  const lines = [
    `${run.trace.name}: ${run.workload}, ${run.minReplicas} to ${run.maxReplicas} pods. ${run.trace.about}`,
    keepsSlo ? 'SLO kept.' : `SLO MISSED: ${misses.join('; ')}.`,
    `In time ${(inTime * 100).toFixed(2)} %, refused ${(failed * 100).toFixed(3)} %, late for ${lateSeconds.toFixed(0)} s in all.`,
    `At most ${mostReplicas} pods, ${podHours.toFixed(1)} pod-hours, ${cost.toFixed(2)} ${currency}.`,
    oscillates
      ? `OSCILLATES: ${swings} turns that the load does not explain.`
      : `Turns that the load does not explain: ${swings}.`,
  ];
  return lines.join('\n');
}
