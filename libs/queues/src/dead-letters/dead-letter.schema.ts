/** Dead letters as the API shows them. */
import { closed, encodeCursor, Fields, PageQuery, pageOf, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import { JOB_CLASSES } from '../job-class';
import { type DeadLetter, MOST_REPLAYED, type ReplayedLetters } from './dead-letter';

const TYPE = Fields.text(100, 'Job type, such as `bulk.import`.');

export const DEAD_LETTER = shape(
  Type.Object({
    id: Fields.id(),
    job_id: Fields.id('The job; `GET /v1/jobs/{id}` shows how far it had come.'),
    type: Type.String(),
    class: Type.Enum([...JOB_CLASSES]),
    payload: Type.Unknown({ description: '`version` and `data`, as they were queued.' }),
    error: Type.Object({ code: Type.String(), message: Type.String() }),
    attempts: Type.Integer({ description: 'Runs; 0 where it was refused before the first.' }),
    failed_at: Fields.timestamp(),
  }),
);
export type DeadLetterView = ShapeType<typeof DEAD_LETTER>;

export const DEAD_LETTER_PAGE = shape(pageOf(DEAD_LETTER.schema));
export const DEAD_LETTER_QUERY = shape(closed({ ...PageQuery, type: Type.Optional(TYPE) }), { text: true });

export const REPLAY_LETTERS = shape(
  closed({
    type: TYPE,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MOST_REPLAYED, description: 'Default: as many as may be.' }),
    ),
    cursor: PageQuery.cursor,
  }),
);
export const LETTERS_REPLAYED = shape(
  Type.Object({
    replayed: Type.Integer(),
    refused: Type.Array(Type.Object({ id: Fields.id(), code: Type.String() }), {
      description: 'Letters that stay, and why: `job_key_in_use`.',
    }),
    has_more: Type.Boolean(),
    next_cursor: Fields.nullable(Type.String()),
  }),
);

export function deadLetterView({ failed_at, ...letter }: DeadLetter): DeadLetterView {
  return { ...letter, failed_at: failed_at.toISOString() };
}

export function lettersReplayedView({ replayed, refused, next }: ReplayedLetters): ShapeType<typeof LETTERS_REPLAYED> {
  return {
    replayed,
    refused: refused.map((letter) => ({ ...letter })),
    has_more: next !== null,
    next_cursor: next === null ? null : encodeCursor([next.after, next.until]),
  };
}
