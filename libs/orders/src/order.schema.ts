/** Shapes of orders. */
import { closed, Fields, PageQuery, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

const MAX_LINES = 2000;

export const ORDER_STATES = [
  'draft',
  'confirmed',
  'allocated',
  'partially_fulfilled',
  'fulfilled',
  'partially_returned',
  'returned',
  'cancelled',
  'expired',
] as const;

const location = () =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Code; the default location where omitted.' }));

/** A line of goods takes stock; its price is the product's where omitted. */
export const GOODS_LINE = closed({
  kind: Type.Literal('goods'),
  sku: Type.Optional(Fields.sku()),
  product_id: Type.Optional(Fields.id('Instead of sku.')),
  location: location(),
  quantity: Fields.quantity(),
  unit_price_minor: Type.Optional(Fields.priceMinor('Price of a unit; the product’s where omitted.')),
  description: Type.Optional(Fields.text(500, 'As shown on the order.')),
});

const money = {
  sku: Type.Optional(Fields.sku()),
  description: Fields.text(500, 'What it is for.'),
  quantity: Type.Optional(Fields.quantity('1 where omitted.')),
} as const;

/** Postage, fees: money without stock. */
export const CHARGE_LINE = closed({ kind: Type.Literal('charge'), ...money, unit_price_minor: Fields.priceMinor() });

/** Money off: the price is 0 or less. */
export const DISCOUNT_LINE = closed({
  kind: Type.Literal('discount'),
  ...money,
  unit_price_minor: Type.Integer({
    minimum: -1_000_000_000_000,
    maximum: 0,
    description: '0 or less, in minor units.',
  }),
});

export const CREATE_ORDER = shape(
  closed({
    reference: Type.Optional(Fields.text(100, 'Your own number.')),
    customer_reference: Type.Optional(Fields.text(100, 'Who buys, in your own terms.')),
    currency: Fields.currency(),
    occurred_at: Type.Optional(Fields.timestamp('When it was placed; now where omitted.')),
    advance_to: Type.Optional(
      Type.Enum(['draft', 'confirmed', 'allocated', 'fulfilled'], {
        description:
          'State the order reaches at once; `allocated` where omitted. From `allocated` on it takes its stock.',
      }),
    ),
    lines: Type.Array(Type.Union([GOODS_LINE, CHARGE_LINE, DISCOUNT_LINE]), { minItems: 1, maxItems: MAX_LINES }),
  }),
);
export type CreateOrder = ShapeType<typeof CREATE_ORDER>;

export const FULFIL_ORDER = shape(
  closed({
    lines: Type.Optional(
      Type.Array(closed({ line_id: Fields.id(), quantity: Fields.quantity() }), {
        minItems: 1,
        maxItems: MAX_LINES,
        description: 'What leaves now; everything that is allocated where omitted.',
      }),
    ),
  }),
  { optional: true },
);
export type FulfilOrder = ShapeType<typeof FULFIL_ORDER>;

const SUMMARY = {
  id: Fields.id(),
  reference: Fields.nullable(Type.String()),
  customer_reference: Fields.nullable(Type.String()),
  state: Type.Enum([...ORDER_STATES]),
  currency: Fields.currency(),
  total_minor: Type.Integer({ description: 'Sum of the lines in minor units.' }),
  occurred_at: Fields.timestamp(),
  version: Type.Integer(),
  created_at: Fields.timestamp(),
  updated_at: Fields.timestamp(),
} as const;

/** What a line of an order and of a return show alike. */
export const LINE_FIELDS = {
  id: Fields.id(),
  line_number: Type.Integer(),
  kind: Type.Enum(['goods', 'charge', 'discount']),
  product_id: Fields.nullable(Fields.id()),
  location_id: Fields.nullable(Fields.id()),
  sku: Fields.nullable(Type.String()),
  description: Fields.nullable(Type.String()),
  quantity: Type.Integer(),
  unit_price_minor: Type.Integer(),
  amount_minor: Type.Integer(),
} as const;

export const ORDER_SUMMARY = shape(Type.Object(SUMMARY));
export type OrderSummary = ShapeType<typeof ORDER_SUMMARY>;

export const ORDER = shape(
  Type.Object({
    ...SUMMARY,
    lines: Type.Array(
      Type.Object({
        ...LINE_FIELDS,
        allocated: Type.Integer(),
        fulfilled: Type.Integer(),
        returned: Type.Integer(),
      }),
    ),
  }),
);
export type Order = ShapeType<typeof ORDER>;

export const ORDER_QUERY = shape(
  closed({
    ...PageQuery,
    state: Type.Optional(Type.Enum([...ORDER_STATES])),
    reference: Type.Optional(Fields.text(100, 'Your own number.')),
  }),
  { text: true },
);
