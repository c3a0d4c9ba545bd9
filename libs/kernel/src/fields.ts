/** Field types that many shapes share, with the bounds the whole API uses. */
import Type, { type TProperties, type TSchema } from 'typebox';

const MAX_QUANTITY = 1_000_000_000;
const MAX_PRICE_MINOR = 1_000_000_000_000;

/** Years 1 to 9998 and no leap second: what every part of the platform can hold, in every time zone. */
const TIMESTAMP = '^(?!0000|9999)[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-5][0-9]';

/** An object that refuses unknown fields. */
export const closed = <P extends TProperties>(properties: P, options: { description?: string } = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false });

export const Fields = {
  id: (description = 'Identifier (UUID).') => Type.String({ format: 'uuid', description }),
  sku: () => Type.String({ minLength: 1, maxLength: 64, pattern: '^\\S(.*\\S)?$', description: 'Stock keeping unit.' }),
  /** A whole number of units, at least 1. */
  quantity: (description = 'Units.') => Type.Integer({ minimum: 1, maximum: MAX_QUANTITY, description }),
  /** A whole number of units, 0 allowed. */
  count: (description = 'Units.') => Type.Integer({ minimum: 0, maximum: MAX_QUANTITY, description }),
  /** A change of a quantity, either sign. */
  delta: (description = 'Change in units; not 0.') =>
    Type.Integer({ minimum: -MAX_QUANTITY, maximum: MAX_QUANTITY, not: { const: 0 }, description }),
  priceMinor: (description = 'Amount in minor units.') =>
    Type.Integer({ minimum: 0, maximum: MAX_PRICE_MINOR, description }),
  signedPriceMinor: (description = 'Amount in minor units, either sign.') =>
    Type.Integer({ minimum: -MAX_PRICE_MINOR, maximum: MAX_PRICE_MINOR, description }),
  currency: () => Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217 code.' }),
  timestamp: (description = 'Time, RFC 3339.') => Type.String({ format: 'date-time', pattern: TIMESTAMP, description }),
  text: (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description }),
  nullable: <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]),
} as const;

const MAX_PAGE = 100;

/** Query fields of every list. */
export const PageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: 20, description: 'Rows of a page, up to 100.' }),
  cursor: Type.Optional(Type.String({ maxLength: 512, description: '`next_cursor` of the page before.' })),
} as const;

/** The shape of a page of `item`. */
export const pageOf = <S extends TSchema>(item: S) =>
  Type.Object({
    data: Type.Array(item),
    has_more: Type.Boolean(),
    next_cursor: Fields.nullable(Type.String()),
  });
