import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { SpanQueue } from './span-queue';

/** Answers when the spec says so. */
class HeldExporter implements SpanExporter {
  readonly batches: number[] = [];
  private answers: ((result: ExportResult) => void)[] = [];

  export(spans: ReadableSpan[], answer: (result: ExportResult) => void): void {
    this.batches.push(spans.length);
    this.answers.push(answer);
  }

  async answer(code: ExportResultCode, error?: Error): Promise<void> {
    this.answers.shift()!({ code, ...(error && { error }) });
    for (let turns = 0; turns < 5; turns += 1) await Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

const SPAN = {} as ReadableSpan;
const { SUCCESS, FAILED } = ExportResultCode;

describe('the queue of spans', () => {
  let exporter: SpanExporter & HeldExporter;
  let outcomes: (Error | undefined)[];

  const queue = (change: { shutdownMs?: number } = {}) =>
    new SpanQueue({
      ...{ exporter, capacity: 4, batch: 2, delayMs: 1_000, shutdownMs: 5_000, ...change },
      onBatch: (error) => outcomes.push(error),
    });
  const ends = (to: SpanQueue, spans: number) => {
    for (let index = 0; index < spans; index += 1) to.onEnd(SPAN);
  };

  beforeEach(() => {
    jest.useFakeTimers();
    exporter = new HeldExporter();
    outcomes = [];
  });
  afterEach(() => jest.useRealTimers());

  it('sends a batch when it is full, else after the delay', () => {
    const full = queue();
    ends(full, 2);
    expect(exporter.batches).toEqual([2]);
    const patient = queue();
    ends(patient, 1);
    jest.advanceTimersByTime(999);
    expect(exporter.batches).toEqual([2]);
    jest.advanceTimersByTime(1);
    expect(exporter.batches).toEqual([2, 1]);
  });

  it('has one batch under way, drops and counts what finds no room, and goes on when the answer comes', async () => {
    const slow = queue();
    ends(slow, 10);
    expect(exporter.batches).toEqual([2]);
    expect(slow.counts).toEqual({ exported: 0, dropped: 4, failed: 0 });
    await exporter.answer(SUCCESS);
    expect(exporter.batches).toEqual([2, 2]);
    await exporter.answer(SUCCESS);
    await exporter.answer(SUCCESS);
    expect(slow.counts).toEqual({ exported: 6, dropped: 4, failed: 0 });
  });

  it('counts a batch that was not taken, also where the exporter throws', async () => {
    const failing = queue();
    ends(failing, 2);
    await exporter.answer(FAILED, new Error('away'));
    exporter.export = () => {
      throw new Error('broken');
    };
    ends(failing, 2);
    await Promise.resolve();
    expect(failing.counts.failed).toBe(4);
    expect(outcomes.map((error) => error?.message)).toEqual(['away', 'broken']);
  });

  it('sends what is left at the end', async () => {
    const ending = queue();
    ends(ending, 1);
    const over = ending.shutdown();
    expect(exporter.batches).toEqual([1]);
    await exporter.answer(SUCCESS);
    await over;
    expect(ending.counts).toEqual({ exported: 1, dropped: 0, failed: 0 });
    ends(ending, 1);
    expect(ending.counts.dropped).toBe(1);
  });

  it('waits no longer than it may at the end', async () => {
    const stuck = queue({ shutdownMs: 300 });
    ends(stuck, 4);
    const over = stuck.shutdown();
    await jest.advanceTimersByTimeAsync(300);
    await over;
    expect(stuck.counts.dropped).toBe(2); // two are on their way for good
  });
});
