/** Shapes of levels and movements. */
import { closed, Fields, PageQuery, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

const BUCKETS = {
  available: Type.Integer({ description: 'Free to sell.' }),
  held: Type.Integer({ description: 'Held for a while.' }),
  allocated: Type.Integer({ description: 'Promised to orders.' }),
  unavailable: Type.Integer({ description: 'On the premises, not for sale.' }),
} as const;

const CHANGES = {
  quantity: Type.Integer({ description: 'Change of on_hand.' }),
  available_change: Type.Integer(),
  held_change: Type.Integer(),
  allocated_change: Type.Integer(),
  unavailable_change: Type.Integer(),
} as const;

export const STOCK_LEVEL = shape(
  Type.Object({
    product_id: Fields.id(),
    sku: Type.String(),
    location_id: Fields.id(),
    on_hand: Type.Integer({ description: 'available + held + allocated + unavailable.' }),
    ...BUCKETS,
    incoming: Type.Integer({ description: 'Ordered from suppliers, not here yet.' }),
    low_stock_threshold: Fields.nullable(Type.Integer({ description: 'Low while `available` is not above it.' })),
    is_low: Type.Boolean(),
    updated_at: Fields.timestamp(),
  }),
);
export type StockLevel = ShapeType<typeof STOCK_LEVEL>;

export const LEVEL_QUERY = shape(
  closed({
    ...PageQuery,
    product_id: Type.Optional(Fields.id()),
    sku: Type.Optional(Fields.sku()),
    location_id: Type.Optional(Fields.id()),
  }),
  { text: true },
);

export const MOVEMENT = shape(
  Type.Object({
    id: Fields.id(),
    product_id: Fields.id(),
    location_id: Fields.id(),
    type: Type.String(),
    reason: Type.String(),
    actor: Type.Object({ type: Type.String(), id: Fields.nullable(Fields.id()) }),
    reference: Fields.nullable(Type.Object({ type: Type.String(), id: Fields.id() })),
    occurred_at: Fields.timestamp(),
    recorded_at: Fields.timestamp(),
    ...CHANGES,
  }),
);
export type Movement = ShapeType<typeof MOVEMENT>;

export const MOVEMENT_QUERY = shape(
  closed({
    ...PageQuery,
    product_id: Type.Optional(Fields.id()),
    location_id: Type.Optional(Fields.id()),
    reference_id: Type.Optional(Fields.id('Order, return, adjustment or job that moved the stock.')),
  }),
  { text: true },
);

export const MOVEMENT_SUM = shape(
  Type.Object({
    product_id: Fields.id(),
    sku: Type.String(),
    location_id: Fields.id(),
    movements: Type.Integer({ description: 'How many there are.' }),
    ...CHANGES,
  }),
);
export type MovementSum = ShapeType<typeof MOVEMENT_SUM>;
