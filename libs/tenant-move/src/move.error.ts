/** Why a move cannot go on, and what to do then. */
import { type ErrorCategory, StockyardError } from '#libs/kernel';

function error(code: string, category: ErrorCategory, message: string, details?: Readonly<Record<string, unknown>>) {
  return new StockyardError({ code, category, message, details });
}

/** The directory already leads to the target. */
export const alreadyThere = (shard: string) =>
  error(
    'move_already_there',
    'conflict',
    `The organization already lives on shard ${shard}; there is nothing to move.`,
    { shard },
  );

/** Place or directory are not as this move left them. */
export const overtaken = (what: string) =>
  error(
    'move_overtaken',
    'conflict',
    `${what}. Somebody else changed the organization or runs this move; look at its operations, then resume or roll back.`,
  );

export const schemaDiffers = (tables: readonly string[]) =>
  error('move_schema_differs', 'conflict', 'The shards have different schemas; migrate both to the same release.', {
    tables,
  });

/** Rows of source and target are not the same. */
export const rowsDiffer = (tables: readonly string[]) =>
  error(
    'move_rows_differ',
    'internal',
    'Rows on the target differ from those on the source; writes go on at the source. Roll the move back and start anew.',
    { tables },
  );

export const pauseExceeded = (pauses: number, maxPauseMs: number) =>
  error(
    'move_pause_exceeded',
    'unavailable',
    `Writes could not be drained and verified within ${maxPauseMs} ms in ${pauses} tries; they go on at the source. Resume when the organization is quieter, or allow a longer pause.`,
    { pauses, maxPauseMs },
  );

export const alreadyFlipped = () =>
  error(
    'move_already_flipped',
    'conflict',
    'The organization lives on the target already; the move can only be finished, not rolled back. Resume it.',
  );
