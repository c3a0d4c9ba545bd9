/** Shapes of products. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

const state = Type.Enum(['active', 'archived'], { description: 'Archived products take no new orders.' });

export const PRODUCT = shape(
  Type.Object({
    id: Fields.id(),
    sku: Fields.sku(),
    name: Type.String(),
    description: Fields.nullable(Type.String()),
    state,
    price_minor: Fields.priceMinor('Price of a unit in minor units.'),
    currency: Fields.currency(),
    version: Type.Integer(),
    created_at: Fields.timestamp(),
    updated_at: Fields.timestamp(),
  }),
);
export type Product = ShapeType<typeof PRODUCT>;

export const CREATE_PRODUCT = shape(
  closed({
    sku: Fields.sku(),
    name: Fields.text(300, 'Name.'),
    description: Type.Optional(Fields.nullable(Fields.text(5000, 'Description.'))),
    price_minor: Type.Optional(Fields.priceMinor('Price of a unit in minor units; 0 where omitted.')),
    currency: Fields.currency(),
  }),
);

export const UPDATE_PRODUCT = shape(
  closed({
    sku: Type.Optional(Fields.sku()),
    name: Type.Optional(Fields.text(300, 'Name.')),
    description: Type.Optional(Fields.nullable(Fields.text(5000, 'Description.'))),
    price_minor: Type.Optional(Fields.priceMinor()),
    currency: Type.Optional(Fields.currency()),
    state: Type.Optional(state),
  }),
);
