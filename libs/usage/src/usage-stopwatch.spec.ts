import { UsageStopwatch } from './usage-stopwatch';

function stopwatch() {
  const charged: number[] = [];
  const time = { nowMs: 1_000.5 };
  return {
    charged,
    time,
    watch: new UsageStopwatch(
      (ms) => charged.push(ms),
      () => time.nowMs,
    ),
  };
}

describe('a stopwatch', () => {
  it('charges what passed since it charged last, and rounds once, at the end', () => {
    const { charged, time, watch } = stopwatch();
    for (const passed of [0.4, 10.3, 0, 20]) {
      time.nowMs += passed;
      watch.lap();
    }
    time.nowMs += 0.1;
    watch.stop();
    expect(charged).toEqual([10, 20, 1]);
  });

  it('charges a millisecond at least', () => {
    const { charged, time, watch } = stopwatch();
    time.nowMs += 0.01;
    watch.lap();
    watch.stop();
    expect(charged).toEqual([1]);
  });
});
