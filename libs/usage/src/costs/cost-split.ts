/** Splits the platform's bill among its tenants, to the last millionth: what each used at its price, and its part of the rest. */
import { COST_CATEGORIES, type CategoryPrice, type CostCategory, type CostModel } from '#libs/config';
import { apportion } from './apportion';
import { type CostPeriod, daysIn, partOfMonths } from './cost-period';

/** What a tenant used: microseconds of requests and jobs, of the database, byte-hours of files, bytes that were sent. */
export interface TenantUse extends Readonly<Record<CostCategory, bigint>> {
  readonly organizationId: string;
  /** Of its tier or its own, for the rule `by_weight`; above 0. */
  readonly weight: number;
}

/** In millionths of the currency. */
export interface CostPart {
  /** For what was used. */
  readonly direct: bigint;
  /** Of what nobody used. */
  readonly shared: bigint;
}

export type Parts = Readonly<Record<CostCategory | 'overhead', CostPart>>;

export interface TenantCost {
  readonly organizationId: string;
  readonly parts: Parts;
  readonly total: bigint;
}

export interface CostSplit {
  readonly tenants: readonly TenantCost[];
  /** The bill; the tenants' parts add up to it, unless there are no tenants. */
  readonly bill: Parts;
  readonly total: bigint;
}

const MICROS = 1_000_000;
const HOUR_US = 3_600_000_000;
const GIB = 1_073_741_824;
const HOURS_A_DAY = 24;

const whole = (amount: number): bigint => BigInt(Math.round(amount));
const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, amount) => sum + amount, 0n);

export function splitCosts(model: CostModel, period: CostPeriod, tenants: readonly TenantUse[]): CostSplit {
  const columns = Object.fromEntries(
    COST_CATEGORIES.map((category) => [category, splitCategory(model, category, period, tenants)]),
  ) as Record<CostCategory, CostPart[]>;
  const bill = Object.fromEntries(
    COST_CATEGORIES.map((category) => [category, billOf(model[category], category, period, tenants)]),
  ) as Record<CostCategory, CostPart>;
  const overhead = partOfMonths(whole((model.overhead?.per_month ?? 0) * MICROS), period);
  const direct = tenants.map((_, index) => sumOf(COST_CATEGORIES.map((category) => columns[category][index]!.direct)));
  const overheads = share(model, overhead, direct, tenants);
  const all = tenants.map(({ organizationId }, index): TenantCost => {
    const parts = Object.fromEntries(COST_CATEGORIES.map((category) => [category, columns[category][index]!])) as Parts;
    const withOverhead = { ...parts, overhead: { direct: 0n, shared: overheads[index]! } };
    return { organizationId, parts: withOverhead, total: totalOf(withOverhead) };
  });
  const wholeBill = { ...bill, overhead: { direct: 0n, shared: overhead } };
  return { tenants: all, bill: wholeBill, total: totalOf(wholeBill) };
}

/** Of the bill the part that was used, as far as it can be told, and the rest. */
function billOf(
  price: CategoryPrice | undefined,
  category: CostCategory,
  period: CostPeriod,
  tenants: readonly TenantUse[],
): CostPart {
  const { per_month, unit_price = 0, capacity } = price ?? { per_month: 0 };
  const bill = partOfMonths(whole((per_month ?? unit_price * (capacity ?? 0)) * MICROS), period);
  const used = sumOf(tenants.map((tenant) => tenant[category]));
  if (capacity === undefined) return used > 0n ? { direct: bill, shared: 0n } : { direct: 0n, shared: bill };
  const paidFor = capacityIn(category, capacity, period);
  const direct = used >= paidFor ? bill : (bill * used) / paidFor;
  return { direct, shared: bill - direct };
}

/** In the units of TenantUse. */
function capacityIn(category: CostCategory, capacity: number, period: CostPeriod): bigint {
  if (category === 'storage') return whole(capacity * GIB) * BigInt(HOURS_A_DAY * daysIn(period));
  return partOfMonths(whole(capacity * (category === 'egress' ? GIB : HOUR_US)), period);
}

function splitCategory(
  model: CostModel,
  category: CostCategory,
  period: CostPeriod,
  tenants: readonly TenantUse[],
): CostPart[] {
  const bill = billOf(model[category], category, period, tenants);
  const uses = tenants.map((tenant) => tenant[category]);
  const direct = bill.direct > 0n ? apportion(bill.direct, uses) : uses.map(() => 0n);
  const shared = share(model, bill.shared, uses, tenants);
  return tenants.map((_, index) => ({ direct: direct[index]!, shared: shared[index]! }));
}

/** By the rule of the model; in proportion to use where there was none: evenly. */
function share(
  { shared = 'by_use' }: CostModel,
  amount: bigint,
  uses: readonly bigint[],
  tenants: readonly TenantUse[],
): bigint[] {
  if (tenants.length === 0) return [];
  if (shared === 'by_weight')
    return apportion(
      amount,
      tenants.map(({ weight }) => BigInt(weight)),
    );
  const byUse = shared === 'by_use' && uses.some((use) => use > 0n);
  return apportion(amount, byUse ? uses : tenants.map(() => 1n));
}

function totalOf(parts: Parts): bigint {
  return sumOf(Object.values(parts).map(({ direct, shared }) => direct + shared));
}
