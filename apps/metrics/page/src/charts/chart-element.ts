/**
 * `<stock-chart>`: one uPlot in a light-DOM element, so that the template hands it a property and the rest is its own.
 * uPlot sets styles by script, which the policy of the page allows, and writes no markup. Times are UTC.
 */
import uPlot from 'uplot';
import type { Deploy, RangeName } from '../api/views';
import { clock, day, exactTime } from '../text/format';
import type { ChartDefinition, Tone } from './definitions';
import { lonePoints } from './lone-points';
import type { Slot } from './slots';

export interface ChartInput {
  readonly chart: ChartDefinition;
  readonly slots: readonly Slot[];
  readonly range: RangeName;
  readonly deploys: readonly Deploy[];
  /** Colours are read anew when it changes. */
  readonly theme: string;
}

const HEIGHT = 150;
/** Between the versions of two marks, in pixels. */
const MARK_ROOM = 8;

const VARIABLES: Readonly<Record<Tone, string>> = {
  accent: '--accent',
  strong: '--text',
  soft: '--accent-soft',
  trouble: '--trouble',
  muted: '--muted',
};

/** `2026-11-24 14:05`. */
const minuteOf = (seconds: number): string => exactTime(new Date(seconds * 1000)).slice(0, 16);

export class StockChart extends HTMLElement {
  private plot: uPlot | undefined;
  private shown: ChartInput | undefined;
  private markColor = '';
  private readonly values: HTMLElement[] = [];
  private readonly when = document.createElement('span');
  private readonly sizes = new ResizeObserver(() => this.fit());

  set input(input: ChartInput) {
    const before = this.shown;
    this.shown = input;
    if (!this.isConnected) return;
    const same = before?.chart === input.chart && before.range === input.range && before.theme === input.theme;
    if (this.plot && same) this.plot.setData(this.data(input));
    else this.build();
    this.tell();
  }

  connectedCallback(): void {
    this.sizes.observe(this);
    if (this.shown && !this.plot) this.build();
    this.tell();
  }

  disconnectedCallback(): void {
    this.sizes.disconnect();
    this.plot?.destroy();
    this.plot = undefined;
  }

  private fit(): void {
    const width = this.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  private data({ chart, slots }: ChartInput): uPlot.AlignedData {
    return [slots.map((slot) => slot.start), ...chart.lines.map((line) => slots.map((slot) => line.of(slot)))];
  }

  private color(name: string): string {
    this.when.style.color = `var(${name})`;
    const color = getComputedStyle(this.when).color;
    this.when.style.color = '';
    return color;
  }

  /** Swatch, name and value of each line: of the point under the cursor, else of the latest. */
  private legend({ chart }: ChartInput): HTMLElement {
    const list = document.createElement('ul');
    list.className = 'legend';
    this.values.length = 0;
    for (const { label, tone, dashed } of chart.lines) {
      const item = list.appendChild(document.createElement('li'));
      item.appendChild(document.createElement('i')).className = `swatch ${tone}${dashed ? ' dashed' : ''}`;
      item.append(`${label} `);
      this.values.push(item.appendChild(document.createElement('b')));
    }
    this.when.className = 'when';
    list.append(this.when);
    list.ariaHidden = 'true'; // the element has its summary, and the table its numbers
    return list;
  }

  private tell(): void {
    const { plot, shown } = this;
    if (!plot || !shown) return;
    const at = plot.cursor.idx ?? undefined;
    const slot = shown.slots[at ?? shown.slots.length - 1];
    this.when.textContent = at === undefined || !slot ? '' : minuteOf(slot.start);
    shown.chart.lines.forEach((line, position) => {
      const value = slot ? line.of(slot) : null;
      this.values[position]!.textContent = value === null ? '–' : shown.chart.format(value);
    });
  }

  private build(): void {
    const input = this.shown!;
    this.plot?.destroy();
    this.replaceChildren(this.legend(input));
    this.markColor = this.color('--muted');
    this.plot = new uPlot(this.options(input), this.data(input), this);
  }

  private options(input: ChartInput): uPlot.Options {
    const { chart, range } = input;
    const grid = { stroke: this.color('--line'), width: 1 };
    const text = { stroke: this.color('--muted'), font: '11px system-ui, sans-serif', ticks: { show: false } };
    const days = range === '7d' || range === '30d';
    return {
      width: Math.max(this.clientWidth, 200),
      height: HEIGHT,
      padding: [14, days ? 24 : 10, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      legend: { show: false },
      cursor: { sync: { key: 'stockyard' }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: { y: { range: (_, _low, high) => [0, high > 0 ? high * 1.12 : 1] } },
      axes: [
        {
          ...text,
          grid: { show: false },
          size: 24,
          space: 64,
          values: (_, splits) => splits.map((split) => (days ? day : clock)(new Date(split * 1000))),
        },
        {
          ...text,
          grid,
          size: 62,
          space: 28,
          values: (_, splits) => splits.map((split) => chart.format(split)),
        },
      ],
      series: [
        {},
        ...chart.lines.map(({ label, tone, dashed }, index) => {
          const stroke = this.color(VARIABLES[tone]);
          return {
            label,
            stroke,
            width: 1.5,
            points: { show: false, filter: (plot: uPlot, line: number) => lonePoints([...plot.data[line]!]) },
            ...(dashed ? { dash: [4, 3] } : {}),
            ...(chart.area && index === 0
              ? { fill: this.color(tone === 'trouble' ? '--trouble-area' : '--accent-area') }
              : {}),
          };
        }),
      ],
      hooks: { draw: [(plot) => this.mark(plot)], setCursor: [() => this.tell()] },
    };
  }

  /** A line where each release was first seen, with its version where there is room. */
  private mark(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    const [low, high] = [plot.scales.x!.min ?? 0, plot.scales.x!.max ?? 0];
    const seen = [...(this.shown?.deploys ?? [])]
      .map(({ version, first_seen_at: at }) => ({ version, at: Date.parse(at) / 1000 }))
      .filter(({ at }) => at >= low)
      .sort((a, b) => a.at - b.at);
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = this.markColor;
    ctx.lineWidth = ratio;
    ctx.font = `${10 * ratio}px system-ui, sans-serif`;
    let free = -Infinity;
    for (const { version, at } of seen) {
      const x = Math.round(plot.valToPos(Math.min(at, high), 'x', true)); // one of the running period stands at its start
      ctx.setLineDash([2 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      if (x < free) continue;
      const width = ctx.measureText(version).width;
      const left = Math.min(x - 2 * ratio, bbox.left + bbox.width - width);
      ctx.fillText(version, left, bbox.top - 4 * ratio);
      free = Math.max(left + width, x) + MARK_ROOM * ratio;
    }
    ctx.restore();
  }
}

customElements.define('stock-chart', StockChart);
