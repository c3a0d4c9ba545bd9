/**
 * When an expression fires. Time in a zone does not run evenly, so (docs/schedules.md):
 * - A fixed time (no `*` and no step in minute and hour) that the clocks skip fires at the first minute after the gap; one
 *   that they show twice fires the first time.
 * - An interval (a `*` or a step in minute or hour) fires whenever the clocks show a matching time: not in a gap, and in
 *   both passes of an hour that comes twice.
 */
import { Cron } from 'croner';

export interface Timing {
  /** As canonicalCron() answers it. */
  readonly cron: string;
  readonly time_zone: string;
}

/** The first tick after an instant; undefined where there is none within croner's horizon. */
export function nextTick({ cron, time_zone }: Timing, after: Date): Date | undefined {
  const rule = new Cron(cron, {
    timezone: time_zone,
    mode: '5-part',
    domAndDow: false,
    fixedTimeRule: 'no-wildcard',
  });
  return rule.nextRun(after) ?? undefined;
}

/** `count` ticks from `first` on, which is one itself. */
export function ticksFrom(timing: Timing, first: Date, count: number): Date[] {
  const ticks = [first];
  while (ticks.length < count) {
    const next = nextTick(timing, ticks[ticks.length - 1]!);
    if (!next) break;
    ticks.push(next);
  }
  return ticks;
}
