/** What a client sends to create a job of a type that clients may create. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

const YEAR_SECONDS = 366 * 86_400;

export const CREATE_JOB = shape(
  closed({
    type: Fields.text(100, 'What is to be done, such as `bulk.export`.'),
    payload: Type.Object({}, { description: 'What the type asks for.' }),
    priority: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10,
        description: 'Among the organization’s own waiting jobs of the class: 1 is the most urgent. Default 5.',
      }),
    ),
    run_at: Type.Optional(Fields.timestamp('Not before; up to a year ahead. Without it: as soon as it is its turn.')),
    delay_seconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: YEAR_SECONDS, description: 'The same, from now; not together with run_at.' }),
    ),
    attempts: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: 'Runs until it has failed. Default: as its type says.' }),
    ),
    dedupe_key: Type.Optional(
      Fields.text(
        200,
        'While a job of the type with this key has not ended, there is no second one: that one is answered.',
      ),
    ),
  }),
);
export type JobRequest = ShapeType<typeof CREATE_JOB>;

/** The time that a request names, if any; undefined too where both ways are used or it is too far ahead. */
export function startOf({ run_at, delay_seconds }: JobRequest, nowMs: number): Date | 'invalid' | undefined {
  if (run_at === undefined) return delay_seconds ? new Date(nowMs + delay_seconds * 1_000) : undefined;
  const start = new Date(run_at);
  return delay_seconds !== undefined || start.getTime() > nowMs + YEAR_SECONDS * 1_000 ? 'invalid' : start;
}
