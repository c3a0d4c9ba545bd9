// Shows the steps of a start: on a terminal one status line that is rewritten, elsewhere plain lines.
import { performance } from 'node:perf_hooks';

export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

interface Step {
  readonly title: string;
  readonly began: number;
  detail: string;
}

/** Says what a running step is doing now. */
export type Detail = (text: string) => void;

const REDRAW_MS = 200;

export class Progress {
  private readonly active = new Set<Step>();
  private ticker: NodeJS.Timeout | undefined;

  constructor(private readonly output: ProgressOutput) {}

  /** Shows `title` while `work` runs (steps may overlap), then what `done` makes of its result, and the time it took. */
  async step<T>(title: string, work: (detail: Detail) => Promise<T>, done?: (result: T) => string): Promise<T> {
    const step: Step = { title, began: performance.now(), detail: '' };
    this.active.add(step);
    if (this.output.isTTY !== true) this.output.write(`  … ${title}\n`);
    this.ticker ??= this.output.isTTY === true ? setInterval(() => this.draw(), REDRAW_MS) : undefined;
    this.draw();
    let mark = '✗';
    let text = `${title}: failed`;
    try {
      const result = await work((detail) => {
        step.detail = detail;
        this.draw();
      });
      mark = '✓';
      text = done?.(result) ?? title;
      return result;
    } finally {
      this.active.delete(step);
      this.line(`  ${mark} ${text} (${elapsed(step)})`);
      if (this.active.size === 0) {
        clearInterval(this.ticker);
        this.ticker = undefined;
      }
    }
  }

  /** A line that stays. */
  line(text: string): void {
    if (this.output.isTTY === true) this.output.write('\r\x1b[2K');
    this.output.write(`${text}\n`);
    this.draw();
  }

  private draw(): void {
    if (this.output.isTTY !== true || this.active.size === 0) return;
    const steps = [...this.active].map((step) => {
      const detail = step.detail === '' ? '' : `, ${step.detail}`;
      return `${step.title} ${elapsed(step)}${detail}`;
    });
    const text = `  … ${steps.join(' · ')}`;
    this.output.write(`\r\x1b[2K${text.slice(0, Math.max(20, (this.output.columns ?? 80) - 1))}`);
  }
}

function elapsed({ began }: Step): string {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}
