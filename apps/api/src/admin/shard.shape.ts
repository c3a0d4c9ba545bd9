/** Shapes of shards as operators see them. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import type { ShardsOverview } from '#libs/organizations';
import Type from 'typebox';

const COUNT = Type.Integer({ minimum: 0 });
const bucket = (description: string) => Type.Integer({ minimum: 0, maximum: 1023, description });

export const SHARD_NAME = Type.String({ pattern: '^[a-z][a-z0-9_-]{0,30}$', description: 'Name of a shard.' });

const NODE = Type.Object({
  node: Type.String({ description: 'host:port' }),
  role: Type.Enum(['primary', 'standby', 'unknown']),
  up: Type.Boolean({ description: 'Whether this process would use it.' }),
  lag_ms: Fields.nullable(Type.Integer({ description: 'Age of the oldest write that it does not show yet.' })),
});

export const SHARDS = shape(
  Type.Object({
    data: Type.Array(
      Type.Object({
        name: SHARD_NAME,
        home: Type.Boolean({ description: 'Whether it keeps the directory.' }),
        nodes: Type.Array(NODE),
        buckets: Fields.nullable(COUNT),
        tenants: Fields.nullable(Type.Record(Type.String(), COUNT, { description: 'By the state of their place.' })),
        database_bytes: Fields.nullable(COUNT),
      }),
    ),
    missing: Type.Array(Type.String(), { description: 'Shards that did not answer in time.' }),
  }),
);

export const ASSIGN_BUCKETS = shape(
  closed({
    from: bucket('First bucket.'),
    to: bucket('Last bucket, included.'),
    shard: SHARD_NAME,
  }),
);

export const BUCKETS_ASSIGNED = shape(
  Type.Object({
    reassigned: Type.Integer({ description: 'Buckets that had been another shard’s.' }),
    pinned: Type.Integer({ description: 'Organizations that were pinned to where they live.' }),
  }),
);

export function shardsBody({ shards, missing }: ShardsOverview): ShapeType<typeof SHARDS> {
  const data = shards.map(({ name, isHome, nodes, buckets, tenants, databaseBytes }) => ({
    name,
    home: isHome,
    nodes: nodes.map(({ node, standby, isUp, isPrimary, lagMs }) => ({
      node,
      role: isPrimary ? ('primary' as const) : standby === true ? ('standby' as const) : ('unknown' as const),
      up: isUp,
      lag_ms: isUp ? Math.round(lagMs) : null,
    })),
    buckets,
    tenants,
    database_bytes: databaseBytes,
  }));
  return { data, missing: [...missing] };
}
