/**
 * Opens the place on the target, then replaces the entry in the directory: that commit is the move. Nobody is led to the
 * target before it, and nobody can write on the source after it.
 */
import { overtaken } from '../move.error';
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';
import { changePlace } from '../places';
import { giveUp, hasFlipped, restart } from './take-back';

export async function flip(context: MoveContext, state: MoveState): Promise<MoveState> {
  const { pause } = context;
  const epoch = state.epoch!;
  if (await hasFlipped(context, epoch, await context.options.directory.read())) return settle(context, state);
  if (!pause?.tier) return restart(context, state);
  await openTarget(context, state);
  if (performance.now() >= pause.giveUpAt) return giveUp(context, state);
  const next = { shard: context.options.target.shard, epoch: epoch + 2 };
  if (!(await context.options.directory.replace(epoch, next))) throw overtaken('The directory has changed');
  return settle(context, { ...state, pausedMs: pause.lastedMs });
}

async function openTarget(context: MoveContext, state: MoveState): Promise<void> {
  const [target, arrival] = await Promise.all([context.target(), context.arrival()]);
  await target.query('begin');
  try {
    await target.query('select continue_outbox($1)', [context.tenant]); // its next events come after those that came along
    await changePlace(target, context.tenant, {
      from: ['arriving'],
      to: state.openState,
      toEpoch: state.epoch! + 2,
      tier: context.pause!.tier!,
    });
    await arrival.reach(undefined);
    await target.query('commit');
  } catch (error) {
    await target.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function settle(context: MoveContext, state: MoveState): Promise<MoveState> {
  context.endPause();
  await context.announce();
  const epoch = state.epoch!;
  await changePlace(await context.source(), context.tenant, {
    from: ['fenced'],
    fromEpochs: [epoch + 1],
    to: 'moved',
    toEpoch: epoch + 2,
  });
  return { ...state, step: 'release', cleanUpAt: Date.now() + context.options.graceMs };
}
