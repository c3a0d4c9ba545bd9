/** Shapes of adjustments: stock that is put in, written off or counted. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

const MAX_LINES = 1000;

const LINE = closed({
  sku: Type.Optional(Fields.sku()),
  product_id: Type.Optional(Fields.id('Instead of sku.')),
  location: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: 'Code; the default location where omitted.' }),
  ),
  delta: Type.Optional(Fields.delta('Change in units, either sign; instead of quantity.')),
  quantity: Type.Optional(Fields.count('Absolute units on hand, as counted; instead of delta.')),
  expected_quantity: Type.Optional(
    Fields.count('With quantity: what the client believes is on hand; 409 when it is not.'),
  ),
  bucket: Type.Optional(
    Type.Enum(['available', 'unavailable'], {
      description: 'With delta: which part changes; available where omitted.',
    }),
  ),
});

export const CREATE_ADJUSTMENT = shape(
  closed({
    reason: Fields.text(200, 'Why: "damaged", "opening stock".'),
    occurred_at: Type.Optional(Fields.timestamp('When it happened; now where omitted.')),
    lines: Type.Array(LINE, { minItems: 1, maxItems: MAX_LINES }),
  }),
);
export type CreateAdjustment = ShapeType<typeof CREATE_ADJUSTMENT>;

export const ADJUSTMENT = shape(
  Type.Object({
    id: Fields.id(),
    reason: Type.String(),
    occurred_at: Fields.timestamp(),
    lines: Type.Array(
      Type.Object({
        movement_id: Fields.id(),
        product_id: Fields.id(),
        sku: Type.String(),
        location_id: Fields.id(),
        quantity: Type.Integer({ description: 'Change of on_hand.' }),
        on_hand: Type.Integer({ description: 'On hand after the adjustment.' }),
        available: Type.Integer(),
      }),
    ),
  }),
);
export type Adjustment = ShapeType<typeof ADJUSTMENT>;
