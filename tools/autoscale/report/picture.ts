/** A run as a picture: load, pods, time and backlog below each other over the same time, with the objective as a line. */
import type { Objectives } from '../objectives';
import type { Row, Run } from '../simulate';
import type { Verdict } from '../verdict';
import { duration, thin } from './table';

const [WIDTH, LEFT, RIGHT, TOP, PANEL, GAP] = [860, 84, 24, 84, 104, 30];
const POINTS = 180;
const COLORS = {
  line: '#1f6feb',
  second: '#d97706',
  limit: '#c0392b',
  grid: '#d8dee4',
  text: '#24292f',
  back: '#ffffff',
};

interface Line {
  readonly color: string;
  readonly name: string;
  /** Changes at once, like a number of pods. */
  readonly isStep?: boolean;
  value(row: Row): number;
}
interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Lines across, such as an objective. */
  readonly marks?: readonly { readonly at: number; readonly name: string }[];
  /** Powers of ten between a least and the most. */
  readonly logFrom?: number;
  format(value: number): string;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');

function panelsOf({ trace, minReplicas, maxReplicas }: Run, objectives: Objectives): Panel[] {
  const pods: Panel = {
    title: 'Pods',
    lines: [
      { color: COLORS.line, name: 'asked for', isStep: true, value: ({ replicas }) => replicas },
      { color: COLORS.second, name: 'ready', isStep: true, value: ({ serving }) => serving },
    ],
    marks: [{ at: minReplicas, name: 'min' }, ...(maxReplicas <= 30 ? [{ at: maxReplicas, name: 'max' }] : [])],
    format: whole,
  };
  const load = (title: string): Panel => ({
    title,
    lines: [{ color: COLORS.line, name: '', value: (row) => row.load }],
    format: whole,
  });
  const cpu: Panel = {
    title: 'Processor, of the request',
    lines: [{ color: COLORS.line, name: '', value: ({ cpuUtilization }) => cpuUtilization }],
    format: (value) => `${(value * 100).toFixed(0)} %`,
  };
  if (trace.of === 'requests') {
    const p95: Panel = {
      title: 'p95 of 15 seconds',
      lines: [{ color: COLORS.line, name: '', value: (row) => row.p95Seconds }],
      marks: [{ at: objectives.latencySeconds, name: 'objective' }],
      logFrom: 0.001,
      format: duration,
    };
    return [load('Requests a second'), pods, cpu, p95];
  }
  const backlog: Panel = {
    title: 'Jobs that wait',
    lines: [{ color: COLORS.line, name: '', value: (row) => row.backlog }],
    format: whole,
  };
  const oldest: Panel = {
    title: 'Oldest of them',
    lines: [{ color: COLORS.line, name: '', value: ({ oldestSeconds }) => oldestSeconds }],
    marks: [{ at: objectives.jobWaitSeconds, name: 'alert' }],
    format: duration,
  };
  return [load('Jobs a second'), pods, cpu, backlog, oldest];
}

export function picture(run: Run, verdict: Verdict, objectives: Objectives): string {
  const panels = panelsOf(run, objectives);
  const last = run.rows.at(-1)!.at;
  const rows = thin(run.rows, Math.max(15, Math.ceil(last / POINTS / 15) * 15));
  const height = TOP + panels.length * (PANEL + GAP) + 20;
  const parts = panels.map((panel, index) => drawPanel(panel, rows, { top: TOP + index * (PANEL + GAP), last }));
  const state = verdict.keepsSlo ? 'SLO kept' : `SLO missed: ${verdict.misses.join('; ')}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${escape(`${run.trace.name}: ${state}`)}">`,
    `<rect width="${WIDTH}" height="${height}" fill="${COLORS.back}"/>`,
    text(LEFT, 20, `${run.trace.name}: ${run.workload}`, 'font-weight="600"'),
    text(LEFT, 37, run.trace.about, ''),
    text(
      LEFT,
      54,
      state + (verdict.oscillates ? ', oscillates' : ''),
      `fill="${verdict.keepsSlo ? COLORS.text : COLORS.limit}"`,
    ),
    ...parts,
    ...timeAxis(last, height - 14),
    '</svg>\n',
  ].join('\n');
}

interface Frame {
  readonly top: number;
  readonly last: number;
}

function drawPanel(
  { title, lines, marks = [], logFrom, format }: Panel,
  rows: readonly Row[],
  { top, last }: Frame,
): string {
  const most =
    Math.max(...lines.flatMap((line) => rows.map((row) => line.value(row))), ...marks.map(({ at }) => at)) * 1.05 || 1;
  const share = (value: number): number =>
    logFrom === undefined ? value / most : Math.log(Math.max(value, logFrom) / logFrom) / Math.log(most / logFrom);
  const y = (value: number): number => top + PANEL * (1 - share(value));
  const x = (at: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * at) / last;
  const ticks =
    logFrom === undefined
      ? [0, niceStep(most), 2 * niceStep(most), 3 * niceStep(most), 4 * niceStep(most)]
      : [0.001, 0.01, 0.1, 1, 10];
  const grid = ticks
    .filter((value) => value <= most)
    .map((value) => `<path d="M${LEFT} ${round(y(value))}H${WIDTH - RIGHT}" stroke="${COLORS.grid}"/>${text(LEFT - 6, y(value) + 4, format(value), 'text-anchor="end"')}`); // prettier-ignore
  const limits = marks.map(({ at, name }) => `<path d="M${LEFT} ${round(y(at))}H${WIDTH - RIGHT}" stroke="${COLORS.limit}" stroke-dasharray="4 3"/>${text(WIDTH - RIGHT - 4, y(at) - 3, name, `text-anchor="end" fill="${COLORS.limit}" font-size="10"`)}`); // prettier-ignore
  const paths = lines.map((line) => {
    // Of a time without any there is nothing to draw.
    const isDrawn = (row: Row | undefined): boolean =>
      row !== undefined && (logFrom === undefined || line.value(row) > 0);
    const points = rows.map((row, index) => {
      const [px, py] = [round(x(row.at)), round(y(line.value(row)))];
      if (!isDrawn(row)) return '';
      if (!isDrawn(rows[index - 1])) return `M${px} ${py}`;
      return line.isStep ? `H${px}V${py}` : `L${px} ${py}`;
    });
    return `<path d="${points.join('')}" fill="none" stroke="${line.color}" stroke-width="1.6"/>`;
  });
  const names = lines.filter(({ name }) => name !== '');
  const legend = names.map(({ name, color }, index) => text(LEFT + 130 + index * 80, top - 6, name, `fill="${color}"`));
  return [text(LEFT, top - 6, title, 'font-weight="600"'), ...legend, ...grid, ...limits, ...paths].join('\n');
}

/** 1, 2 or 5 times a power of ten, of which the most has two to four. */
function niceStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 2));
  return [5, 2, 1].map((factor) => factor * power).find((step) => step * 2 <= most) ?? power;
}

function timeAxis(last: number, y: number): string[] {
  const [step, unit] = last > 4 * 3_600 ? [4 * 3_600, 3_600] : [600, 60];
  const ticks = Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => index * step);
  return ticks.map((at) => text(LEFT + ((WIDTH - LEFT - RIGHT) * at) / last, y, `${at / unit} ${unit === 60 ? 'min' : 'h'}`, 'text-anchor="middle"')); // prettier-ignore
}

const round = (value: number): number => Math.round(value * 10) / 10;
const escape = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const text = (x: number, y: number, value: string, attributes = ''): string =>
  `<text x="${round(x)}" y="${round(y)}" ${attributes.includes('fill') ? '' : `fill="${COLORS.text}" `}${attributes}>${escape(value)}</text>`; // prettier-ignore
