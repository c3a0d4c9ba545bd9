/** What reports are asked for by. The worker is given the same shapes without `report`, which is the type of the job. */
import { closed, shape, type ShapeType } from '#libs/kernel';
import { ROW_FORMATS } from '#libs/storage';
import Type from 'typebox';

export const PERIODS = ['day', 'week', 'month'] as const;
export type Period = (typeof PERIODS)[number];

/** No year 0000: the database's calendar has none. */
const DATE = '^(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$';
/**
 * `UTC` or a name with a place, such as `Europe/Berlin`. No offsets, whose sign PostgreSQL reads the other way round, and no
 * abbreviations such as `CET`, which it takes for a fixed offset where the IANA database changes clocks.
 */
const ZONE = '^(?:UTC|[A-Za-z][A-Za-z_]*(?:/[A-Za-z0-9_+-]+){1,2})$';

const date = (description: string) => Type.String({ format: 'date', pattern: DATE, description });

const FORMAT = {
  format: Type.Enum([...ROW_FORMATS], { description: 'One JSON object a line, or CSV with a header.' }),
};
const SPAN = {
  from: date('First day, as the calendar of `time_zone` has it.'),
  to: date('Last day, included.'),
  time_zone: Type.Optional(
    Type.String({
      maxLength: 64,
      pattern: ZONE,
      description: 'Name in the IANA database, such as `Europe/Berlin`; `UTC` where omitted.',
    }),
  ),
};

const FIELDS = {
  stock_valuation: FORMAT,
  stock_movements: { ...FORMAT, ...SPAN },
  sales: {
    ...FORMAT,
    ...SPAN,
    period: Type.Enum([...PERIODS], { description: 'What a row sums up; weeks begin on Monday.' }),
  },
  dead_stock: {
    ...FORMAT,
    days: Type.Integer({ minimum: 1, maximum: 3_650, description: 'For how many days nothing has left.' }),
  },
  low_stock: FORMAT,
} as const;

export const VALUATION = shape(closed(FIELDS.stock_valuation));
export type ValuationRequest = ShapeType<typeof VALUATION>;
export const MOVEMENTS = shape(closed(FIELDS.stock_movements));
export type MovementsRequest = ShapeType<typeof MOVEMENTS>;
export const SALES = shape(closed(FIELDS.sales));
export type SalesRequest = ShapeType<typeof SALES>;
export const DEAD_STOCK = shape(closed(FIELDS.dead_stock));
export type DeadStockRequest = ShapeType<typeof DEAD_STOCK>;

export const LOW_STOCK_LEVELS = shape(closed(FIELDS.low_stock));
export type LowStockRequest = ShapeType<typeof LOW_STOCK_LEVELS>;

export const CREATE_REPORT = shape(
  Type.Union([
    closed(
      { report: Type.Literal('stock_valuation'), ...FIELDS.stock_valuation },
      { description: 'What is on hand, valued at the list price in minor units, by product and location.' },
    ),
    closed(
      { report: Type.Literal('stock_movements'), ...FIELDS.stock_movements },
      { description: 'Units on hand at the beginning, in and out by type, and at the end, by product and location.' },
    ),
    closed(
      { report: Type.Literal('sales'), ...FIELDS.sales },
      { description: 'Units and minor units sold and returned, by product, period and currency.' },
    ),
    closed(
      { report: Type.Literal('dead_stock'), ...FIELDS.dead_stock },
      { description: 'Stock of which nothing has left for so many days.' },
    ),
    closed(
      { report: Type.Literal('low_stock'), ...FIELDS.low_stock },
      { description: 'Levels at or below their threshold, by product and location.' },
    ),
  ]),
);
export type CreateReport = ShapeType<typeof CREATE_REPORT>;
