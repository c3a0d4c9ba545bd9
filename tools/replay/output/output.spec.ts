/** What people and programs see of a replay. */
import fc from 'fast-check';
import { bar, StreamProgress } from './progress';
import { percentile, summarize, table } from './summary';

function recorded(isTTY: boolean) {
  const state = { text: '', nowMs: 0 };
  const progress = new StreamProgress({ isTTY, write: (text) => (state.text += text) }, () => state.nowMs);
  return { state, progress };
}

describe('progress', () => {
  it('is a bar that is redrawn on a terminal', () => {
    const { state, progress } = recorded(true);
    progress.begin('replay', 10, 'operations');
    state.nowMs = 500;
    progress.advance(5);
    progress.end();
    expect(state.text).toContain(
      '\r\u001b[Kreplay         [===============               ] 5/10 operations, 10/s, 0.5 s',
    );
    expect(state.text.endsWith('\n')).toBe(true);
  });

  it('is a plain line now and then elsewhere', () => {
    const { state, progress } = recorded(false);
    progress.begin('replay', 1_000, 'operations');
    for (let step = 0; step < 100; step += 1) {
      state.nowMs += 100;
      progress.advance(10);
    }
    expect(state.text).toBe('replay: 500/1000 operations, 100/s, 5.0 s\nreplay: 1000/1000 operations, 100/s, 10.0 s\n');
  });

  it('clears the bar for a note and draws it again', () => {
    const { state, progress } = recorded(true);
    progress.begin('replay', 0, 'operations');
    progress.note('by the way');
    expect(state.text).toMatch(/\r\u001b\[Kby the way\n\r\u001b\[Kreplay/);
  });

  it('fills its bar from nothing to full', () => {
    expect([bar(0, 4), bar(2, 4), bar(9, 4), bar(0, 0)].map((drawn) => drawn.split('=').length - 1)).toEqual([
      0, 15, 30, 30,
    ]);
  });
});

describe('a percentile', () => {
  it('is a measured value with at least that share at or below it', () => {
    const values = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (unsorted, percent) => {
        const sorted = [...unsorted].sort((a, b) => a - b);
        const value = percentile(sorted, percent);
        expect(sorted).toContain(value);
        expect(sorted.filter((other) => other <= value).length).toBeGreaterThanOrEqual((percent / 100) * sorted.length);
      }),
    );
    expect(percentile([], 99)).toBe(0);
  });
});

describe('the summary', () => {
  const totals = { orders: 3, revenueMinor: 100, returns: 1, returnedMinor: 10, adjustments: 1, refused: 2 };
  const summary = summarize({
    totals: [totals, totals],
    products: 9,
    lines: 20,
    mismatches: 0,
    seconds: 2,
    orderMilliseconds: [3, 1, 2],
  });

  it('has exactly the figures that tools rely on', () => {
    expect(summary).toEqual({
      organizations: 2,
      products: 9,
      orders: 6,
      lines: 20,
      returns: 2,
      adjustments: 2,
      refused: 4,
      mismatches: 0,
      seconds: 2,
      orders_per_second: 3,
      p50_ms: 2,
      p99_ms: 3,
    });
  });

  it('reads as a table too', () => {
    expect(table(summary)).toContain('orders_per_second   3\n');
  });
});
