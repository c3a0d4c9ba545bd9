/** Shapes of operations on organizations. */
import { REGION_NAME } from '#libs/config';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import { type Operation, OPERATION_KINDS, OPERATION_STATES } from '#libs/lifecycle';
import Type from 'typebox';

export const ARCHIVE_TYPE = 'application/gzip';

const SLUG = '^[a-z0-9][a-z0-9-]{1,62}$';
const FACTS = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description });

export const CREATE_OPERATION = shape(
  Type.Union([
    closed({ kind: Type.Literal('export') }, { description: 'A complete, restorable archive.' }),
    closed(
      {
        kind: Type.Literal('delete'),
        moved_to: Type.Optional(
          Type.String({
            pattern: REGION_NAME,
            description: 'Region that it was taken to by its archive: whoever asks for it here is sent there.',
          }),
        ),
      },
      { description: 'Everything, for good; the result is the proof.' },
    ),
    closed(
      { kind: Type.Literal('move'), shard: Type.String({ maxLength: 31, description: 'Where to.' }) },
      { description: 'To another shard, while in use.' },
    ),
  ]),
);

export const IMPORT_QUERY = shape(
  closed({
    slug: Type.Optional(Type.String({ pattern: SLUG, description: 'In place of the slug in the archive.' })),
  }),
  { text: true },
);

const OPERATION_FIELDS = Type.Object({
  id: Fields.id(),
  organization_id: Fields.id(),
  kind: Type.Enum([...OPERATION_KINDS]),
  state: Type.Enum([...OPERATION_STATES]),
  step: Fields.nullable(Type.String({ description: 'The step that runs or runs next.' })),
  rolling_back: Type.Boolean({ description: 'Whether it is being undone.' }),
  undoable: Type.Boolean({ description: 'Whether it can be rolled back now.' }),
  parameters: FACTS('What it was asked to do.'),
  progress: FACTS('Figures of the step at hand.'),
  result: Fields.nullable(FACTS('Of a completed operation.')),
  error: Fields.nullable(
    Type.Object(
      { code: Type.String(), message: Type.String() },
      { description: 'Why it failed, or why its step is tried again.' },
    ),
  ),
  created_at: Fields.timestamp(),
  updated_at: Fields.timestamp(),
  finished_at: Fields.nullable(Fields.timestamp()),
});

export const OPERATION = shape(OPERATION_FIELDS);
export const OPERATION_PAGE = shape(pageOf(OPERATION_FIELDS));
export const OPERATION_QUERY = shape(closed({ ...PageQuery, organization_id: Type.Optional(Fields.id()) }), {
  text: true,
});

export function operationBody(operation: Operation): ShapeType<typeof OPERATION> {
  const { id, tenant, kind, state, step, undoable, parameters, progress, result, error } = operation;
  return {
    id,
    organization_id: tenant,
    ...{ kind, state, step, undoable, parameters, progress, result, error },
    rolling_back: operation.rollingBack,
    created_at: operation.createdAt.toISOString(),
    updated_at: operation.updatedAt.toISOString(),
    finished_at: operation.finishedAt?.toISOString() ?? null,
  };
}
