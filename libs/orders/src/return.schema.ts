/** Shapes of returns: goods and money that come back, with or without the order they belong to. */
import { closed, Fields, PageQuery, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import { CHARGE_LINE, DISCOUNT_LINE, LINE_FIELDS } from './order.schema';

const MAX_LINES = 2000;

const GOODS = closed({
  kind: Type.Literal('goods'),
  order_line_id: Type.Optional(Fields.id('Line of the order that comes back; with order_id.')),
  sku: Type.Optional(Fields.sku()),
  product_id: Type.Optional(Fields.id('Instead of sku.')),
  location: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: 'Code; the default location where omitted.' }),
  ),
  quantity: Fields.quantity(),
  unit_price_minor: Type.Optional(
    Fields.priceMinor('Refund of a unit; what was paid or the product’s price where omitted.'),
  ),
  disposition: Type.Optional(
    Type.Enum(['restock', 'unavailable'], { description: 'Back on sale, or kept apart; `restock` where omitted.' }),
  ),
  description: Type.Optional(Fields.text(500, 'As shown on the return.')),
});

export const CREATE_RETURN = shape(
  closed({
    order_id: Type.Optional(Fields.id('The order that comes back; none where it is not known.')),
    reference: Type.Optional(Fields.text(100, 'Your own number.')),
    reason: Fields.text(200, 'Why it comes back.'),
    currency: Fields.currency(),
    occurred_at: Type.Optional(Fields.timestamp('When it came back; now where omitted.')),
    lines: Type.Array(Type.Union([GOODS, CHARGE_LINE, DISCOUNT_LINE]), { minItems: 1, maxItems: MAX_LINES }),
  }),
);
export type CreateReturn = ShapeType<typeof CREATE_RETURN>;

const SUMMARY = {
  id: Fields.id(),
  order_id: Fields.nullable(Fields.id()),
  reference: Fields.nullable(Type.String()),
  reason: Type.String(),
  currency: Fields.currency(),
  total_minor: Type.Integer({ description: 'What is paid back, in minor units.' }),
  occurred_at: Fields.timestamp(),
  created_at: Fields.timestamp(),
} as const;

export const RETURN_SUMMARY = shape(Type.Object(SUMMARY));
export type ReturnSummary = ShapeType<typeof RETURN_SUMMARY>;

export const RETURN = shape(
  Type.Object({
    ...SUMMARY,
    lines: Type.Array(
      Type.Object({
        ...LINE_FIELDS,
        order_line_id: Fields.nullable(Fields.id()),
        disposition: Type.Enum(['restock', 'unavailable', 'none']),
      }),
    ),
  }),
);
export type Return = ShapeType<typeof RETURN>;

export const RETURN_QUERY = shape(closed({ ...PageQuery, order_id: Type.Optional(Fields.id()) }), { text: true });
