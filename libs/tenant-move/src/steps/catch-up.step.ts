/** Applies changes until the target is so close that a fence can be short. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';

const REPORT_MS = 1_000;
/** Share of the longest pause within which a mark must arrive. */
const CLOSE = 0.5;

export async function catchUp(context: MoveContext, state: MoveState): Promise<MoveState> {
  const replay = await context.openReplay();
  if (!replay) return { ...state, step: 'copy' };
  await replay.during(delay(Math.max(0, context.restUntil - performance.now())));
  for (;;) {
    const started = performance.now();
    const mark = await context.mark();
    while (!(await replay.untilMark(mark, performance.now() + REPORT_MS))) {
      context.report({ step: 'catch_up', lagBytes: replay.lagBytes });
    }
    if (performance.now() - started <= context.options.maxPauseMs * CLOSE) break;
  }
  context.report({ step: 'catch_up', lagBytes: replay.lagBytes });
  return { ...state, step: replay.touchedRows ? 'fence' : 'compare' };
}
