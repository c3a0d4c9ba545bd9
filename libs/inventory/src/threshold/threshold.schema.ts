/** Shapes of the threshold of a level. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

export const LOW_STOCK_THRESHOLD = Fields.nullable(
  Fields.count('The level is low while `available` is not above it; null for never.'),
);

export const STOCK_THRESHOLD = shape(
  Type.Object({
    product_id: Fields.id(),
    location_id: Fields.id(),
    low_stock_threshold: Fields.nullable(Type.Integer()),
    available: Type.Integer(),
    is_low: Type.Boolean(),
    version: Type.Integer({ description: 'Of the threshold; stock that moves leaves it alone.' }),
  }),
);
export type StockThreshold = ShapeType<typeof STOCK_THRESHOLD>;

export const SET_THRESHOLD = shape(closed({ low_stock_threshold: LOW_STOCK_THRESHOLD }));
