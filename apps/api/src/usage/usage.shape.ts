/** Shapes of a tenant's usage. */
import { closed, Fields, shape } from '#libs/kernel';
import Type from 'typebox';

export const USAGE_QUERY = shape(
  closed({
    from: Type.Optional(Fields.timestamp('Hours that begin at or after it. Default: 30 days before `to`.')),
    to: Type.Optional(Fields.timestamp('Hours that begin before it. Default: now.')),
  }),
  { text: true },
);

export const USAGE = shape(
  Type.Object({
    organization_id: Fields.id(),
    from: Fields.timestamp(),
    to: Fields.timestamp(),
    metrics: Type.Array(
      Type.Object({
        metric: Type.String({ description: 'Such as `api_calls` or `rate_limit_exceeded_api`.' }),
        value: Type.Integer({ description: 'Sum over the period; of `bytes_stored` the newest value before its end.' }),
      }),
    ),
  }),
);
