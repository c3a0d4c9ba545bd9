/**
 * What the platform costs, from COST_MODEL: for each category the bill of a month, as a sum or as a price for the capacity that is
 * paid for. How it becomes the costs of tenants: docs/costs.md.
 */
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';

export const COST_CATEGORIES = ['compute', 'database', 'storage', 'egress'] as const;
export type CostCategory = (typeof COST_CATEGORIES)[number];

const amount = Type.Number({ minimum: 0, maximum: 1_000_000_000 });
const CATEGORY = Type.Object(
  {
    /** The month's bill. */
    per_month: Type.Optional(amount),
    /** Or the price of a unit, of which `capacity` are paid for. */
    unit_price: Type.Optional(amount),
    /** Units of a month: hours of work (compute, database), GiB (storage), GiB that are sent (egress). */
    capacity: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000_000 })),
  },
  { additionalProperties: false },
);
const COST_MODEL = Type.Object(
  {
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
    compute: Type.Optional(CATEGORY),
    database: Type.Optional(CATEGORY),
    storage: Type.Optional(CATEGORY),
    egress: Type.Optional(CATEGORY),
    /** What is of no category, for a month. */
    overhead: Type.Optional(Type.Object({ per_month: amount }, { additionalProperties: false })),
    /** By what the overhead, and capacity that nobody used, are shared. */
    shared: Type.Optional(Type.Union([Type.Literal('by_use'), Type.Literal('even'), Type.Literal('by_weight')])),
    visible_to_tenants: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

export type CostModel = Static<typeof COST_MODEL>;
export type CategoryPrice = Static<typeof CATEGORY>;

const validator = Compile(COST_MODEL);

/** Largest bill that stays exact in millionths of the currency. */
const LARGEST_BILL = 1_000_000_000;

function contradiction(model: CostModel): string | undefined {
  for (const name of COST_CATEGORIES) {
    const { per_month, unit_price, capacity } = model[name] ?? { per_month: 0 };
    if ((per_month === undefined) === (unit_price === undefined))
      return `${name} needs per_month or unit_price, and not both`;
    if (unit_price === undefined) continue;
    if (capacity === undefined) return `${name}.capacity is missing; ${name}.unit_price needs it`;
    if (unit_price * capacity > LARGEST_BILL) return `${name} has a bill above ${LARGEST_BILL} a month`;
  }
  return undefined;
}

/** Null for an empty text. Throws a TypeError that names the field at fault. */
export function costModel(text: string): CostModel | null {
  if (text === '') return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new TypeError('COST_MODEL must be JSON, such as {"currency":"EUR","compute":{"per_month":400}}.');
  }
  if (!validator.Check(parsed)) {
    const problems = validator.Errors(parsed);
    const problem = problems.find(({ keyword }) => keyword === 'additionalProperties') ?? problems[0];
    const { additionalProperties } = (problem?.params ?? {}) as { additionalProperties?: string[] };
    const path = [...(problem?.instancePath.split('/').slice(1) ?? []), ...(additionalProperties ?? [])].join('.');
    const fault = additionalProperties ? 'is not a field of it' : (problem?.message ?? 'is not usable');
    throw new TypeError(`COST_MODEL${path && `: ${path}`} ${fault}.`);
  }
  const problem = contradiction(parsed);
  if (problem !== undefined) throw new TypeError(`COST_MODEL: ${problem}.`);
  return parsed;
}
