/** Progress on stderr: a bar that is redrawn on a terminal, a line now and then elsewhere. */

export interface Progress {
  /** Starts a phase of `total` units. Phases do not overlap. */
  begin(phase: string, total: number, unit: string): void;
  advance(units: number): void;
  end(): void;
  note(text: string): void;
}

/** The part of a stream that progress is written to. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const BAR_WIDTH = 30;
const REDRAW_MS = 100;
const LINE_MS = 5_000;

export function bar(done: number, total: number): string {
  const filled = total === 0 ? BAR_WIDTH : Math.floor((Math.min(done, total) / total) * BAR_WIDTH);
  return `[${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}]`;
}

export class StreamProgress implements Progress {
  private phase = '';
  private unit = '';
  private total = 0;
  private done = 0;
  private startedMs = 0;
  private shownMs = 0;

  constructor(
    private readonly stream: ProgressStream,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  begin(phase: string, total: number, unit: string): void {
    Object.assign(this, { phase, total, unit, done: 0, startedMs: this.nowMs(), shownMs: this.nowMs() });
    if (this.stream.isTTY) this.draw();
  }

  advance(units: number): void {
    this.done += units;
    const nowMs = this.nowMs();
    if (nowMs - this.shownMs < (this.stream.isTTY ? REDRAW_MS : LINE_MS)) return;
    this.shownMs = nowMs;
    this.draw();
  }

  end(): void {
    this.draw();
    if (this.stream.isTTY) this.stream.write('\n');
    this.phase = '';
  }

  note(text: string): void {
    if (this.stream.isTTY && this.phase) this.stream.write('\r\u001b[K');
    this.stream.write(`${text}\n`);
    if (this.stream.isTTY && this.phase) this.draw();
  }

  private draw(): void {
    const seconds = (this.nowMs() - this.startedMs) / 1_000;
    const rate = seconds > 0 ? Math.round(this.done / seconds) : 0;
    const total = this.total > 0 ? `/${this.total}` : '';
    const figures = `${this.done}${total} ${this.unit}, ${rate}/s, ${seconds.toFixed(1)} s`;
    if (this.stream.isTTY) {
      const drawn = this.total > 0 ? `${bar(this.done, this.total)} ` : '';
      this.stream.write(`\r\u001b[K${this.phase.padEnd(14)} ${drawn}${figures}`);
    } else {
      this.stream.write(`${this.phase}: ${figures}\n`);
    }
  }
}
