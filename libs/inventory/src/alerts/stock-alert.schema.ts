/** Shapes of stock alerts. */
import { closed, Fields, PageQuery, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

/** An alert is open until `available` is above the threshold again, or there is no threshold any more. */
export const ALERT_STATES = ['open', 'resolved'] as const;

export const STOCK_ALERT = shape(
  Type.Object({
    id: Fields.id(),
    state: Type.Enum([...ALERT_STATES]),
    product_id: Fields.id(),
    sku: Type.String(),
    location_id: Fields.id(),
    threshold: Type.Integer({ description: 'As it was when the alert opened.' }),
    available: Type.Integer({ description: 'As it was when the alert opened.' }),
    lowest_available: Type.Integer({ description: 'The least that a check has seen while it was open.' }),
    opened_at: Fields.timestamp(),
    resolved_at: Fields.nullable(Fields.timestamp()),
    acknowledged_at: Fields.nullable(Fields.timestamp()),
    acknowledged_by: Fields.nullable(Type.Object({ type: Type.String(), id: Fields.nullable(Fields.id()) })),
    version: Type.Integer(),
  }),
);
export type StockAlert = ShapeType<typeof STOCK_ALERT>;

export const ALERT_QUERY = shape(
  closed({
    ...PageQuery,
    state: Type.Optional(Type.Enum([...ALERT_STATES], { description: 'Only alerts in this state.' })),
    product_id: Type.Optional(Fields.id()),
    location_id: Type.Optional(Fields.id()),
  }),
  { text: true },
);
