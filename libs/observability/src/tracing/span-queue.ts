/**
 * Spans on their way to the collector: batch after batch, one at a time. The queue is bounded, and whoever ends a span never waits:
 * what finds no room is dropped and counted, and so is a batch that the exporter gave up. Nothing here throws.
 */
import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

export interface SpanQueueOptions {
  readonly exporter: SpanExporter;
  /** Spans. */
  readonly capacity: number;
  /** Spans of one request to the collector. */
  readonly batch: number;
  /** Longest time that a span waits for its batch to fill. */
  readonly delayMs: number;
  /** Longest wait at the end for what is left. */
  readonly shutdownMs: number;
  /** What became of a batch; undefined: it was taken. */
  readonly onBatch: (error: Error | undefined) => void;
}

/** Of spans, since the start. */
export interface SpanCounts {
  readonly exported: number;
  /** There was no room in the queue. */
  readonly dropped: number;
  /** The collector did not take them. */
  readonly failed: number;
}

export class SpanQueue implements SpanProcessor {
  private waiting: ReadableSpan[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private isOver = false;
  private readonly counted = { exported: 0, dropped: 0, failed: 0 };

  constructor(private readonly options: SpanQueueOptions) {}

  get counts(): SpanCounts {
    return { ...this.counted };
  }

  onStart(): void {
    // spans are only of interest when they have ended
  }

  onEnd(span: ReadableSpan): void {
    const { capacity, batch, delayMs } = this.options;
    if (this.isOver || this.waiting.length >= capacity) {
      this.counted.dropped += 1;
      return;
    }
    this.waiting.push(span);
    if (this.sending) return; // what comes meanwhile is looked at when the batch is through
    if (this.waiting.length >= batch) this.send();
    else this.timer ??= setTimeout(() => this.send(), delayMs).unref();
  }

  /** Resolves when everything that waits has been sent or given up. */
  async forceFlush(): Promise<void> {
    while (this.sending || this.waiting.length > 0) {
      this.send();
      await this.sending;
    }
  }

  /** Sends what is left, for as long as there is time, and counts the rest as dropped. */
  async shutdown(): Promise<void> {
    this.isOver = true;
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => (late = setTimeout(resolve, this.options.shutdownMs)));
    await Promise.race([this.forceFlush(), tooLate]);
    clearTimeout(late);
    this.counted.dropped += this.waiting.length;
    this.waiting = [];
  }

  private send(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.sending || this.waiting.length === 0) return;
    const spans = this.waiting.splice(0, this.options.batch);
    this.sending = this.export(spans).finally(() => {
      this.sending = undefined;
      if (this.waiting.length >= this.options.batch) this.send();
      else if (this.waiting.length > 0) this.timer ??= setTimeout(() => this.send(), this.options.delayMs).unref();
    });
  }

  private async export(spans: ReadableSpan[]): Promise<void> {
    const error = await new Promise<Error | undefined>((resolve) => {
      try {
        this.options.exporter.export(spans, (result) => {
          const isTaken = result.code === ExportResultCode.SUCCESS;
          resolve(isTaken ? undefined : (result.error ?? new Error('The collector did not take the spans.')));
        });
      } catch (thrown) {
        resolve(thrown as Error);
      }
    });
    this.counted[error ? 'failed' : 'exported'] += spans.length;
    this.options.onBatch(error);
  }
}
