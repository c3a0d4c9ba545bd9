/** Shapes of whose dead letters lie where. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import type { DeadLetterOverview } from '#libs/queues';
import Type from 'typebox';
import { SHARD_NAME } from './shard.shape';

export const OVERVIEW_QUERY = shape(
  closed({
    limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100, description: 'Rows of each shard, oldest first.' }),
  }),
  { text: true },
);

export const OVERVIEW = shape(
  Type.Object({
    data: Type.Array(
      Type.Object({
        shard: SHARD_NAME,
        organization_id: Fields.id(),
        type: Type.String(),
        letters: Type.Integer({ minimum: 1 }),
        oldest_failed_at: Fields.timestamp(),
      }),
    ),
    missing: Type.Array(Type.String(), { description: 'Shards that did not answer in time.' }),
  }),
);

export function overviewBody({ holders, missing }: DeadLetterOverview): ShapeType<typeof OVERVIEW> {
  const data = holders.map(({ oldest, ...holder }) => ({ ...holder, oldest_failed_at: oldest.toISOString() }));
  return { data, missing: [...missing] };
}
