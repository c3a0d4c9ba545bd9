/** Shapes of costs. Amounts are millionths of the currency, whole ones, so that parts add up. */
import { type Page, page } from '#libs/http';
import { closed, decodeCursor, Fields, isUuid, PageQuery, pageOf, shape, type ShapeType } from '#libs/kernel';
import type { CostPart, CostReport, Parts, TenantCost } from '#libs/usage';
import { stringify } from 'csv-stringify/sync';
import Type, { type Static } from 'typebox';

const DAY = { pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' };
const PERIOD = {
  from: Type.Optional(Type.String({ ...DAY, description: 'First day (UTC). Default: that of the month of `to`.' })),
  to: Type.Optional(
    Type.String({ ...DAY, description: 'Up to but without this day; tomorrow at most. Default: today.' }),
  ),
};

export const COST_QUERY = shape(closed(PERIOD), { text: true });
export const COSTS_QUERY = shape(
  closed({
    ...PERIOD,
    ...PageQuery,
    format: Type.Enum(['json', 'csv'], { default: 'json', description: '`csv`: all tenants at once, one a line.' }),
  }),
  { text: true },
);

const MICROS = Type.Integer({ minimum: 0, description: 'Millionths of the currency.' });
const PART = Type.Object({ direct_micros: MICROS, shared_micros: MICROS });
const PARTS = { compute: PART, database: PART, storage: PART, egress: PART, overhead: PART };
const HEAD = {
  currency: Fields.currency(),
  from: Type.String(DAY),
  to: Type.String(DAY),
  shared_by: Type.Enum(['by_use', 'even', 'by_weight'], {
    description: 'How overhead, and capacity that nobody used, are shared among tenants.',
  }),
};
const TENANT = { organization_id: Fields.id(), ...PARTS, total_micros: MICROS };

export const OWN_COSTS = shape(Type.Object({ ...HEAD, ...TENANT }));
export const COSTS = shape(
  Type.Object({
    ...HEAD,
    bill: Type.Object({ ...PARTS, total_micros: MICROS }, { description: 'What the parts of all tenants add up to.' }),
    ...pageOf(Type.Object(TENANT)).properties,
  }),
);

type PartsBody = Readonly<Record<keyof Parts, Static<typeof PART>>>;

const partBody = ({ direct, shared }: CostPart) => ({ direct_micros: Number(direct), shared_micros: Number(shared) });

function partsBody({ compute, database, storage, egress, overhead }: Parts): PartsBody {
  return {
    compute: partBody(compute),
    database: partBody(database),
    storage: partBody(storage),
    egress: partBody(egress),
    overhead: partBody(overhead),
  };
}

function tenantBody({ organizationId, parts, total }: TenantCost) {
  return { organization_id: organizationId, ...partsBody(parts), total_micros: Number(total) };
}

function headBody({ model, period }: CostReport) {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const { currency, shared = 'by_use' } = model;
  return { currency, from: day(period.from), to: day(period.to), shared_by: shared };
}

export function ownCostsBody(report: CostReport, own: TenantCost): ShapeType<typeof OWN_COSTS> {
  return { ...headBody(report), ...tenantBody(own) };
}

/** Throws `invalid_cursor`. */
export function costsBody(
  report: CostReport,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): ShapeType<typeof COSTS> {
  const [after = ''] = cursor === undefined ? [] : decodeCursor(cursor, [isUuid]);
  const rest = report.tenants.filter(({ organizationId }) => organizationId > after).slice(0, limit + 1);
  const tenants: Page<ReturnType<typeof tenantBody>> = page(rest.map(tenantBody), limit, (row) => [
    row.organization_id,
  ]);
  return { ...headBody(report), bill: { ...partsBody(report.bill), total_micros: Number(report.total) }, ...tenants };
}

const CATEGORIES = ['compute', 'database', 'storage', 'egress', 'overhead'] as const;

/** One line a tenant; the columns of a line add up to its total, and the totals to the bill. */
export function costsCsv(report: CostReport): string {
  const { currency, from, to, shared_by } = headBody(report);
  const head = ['currency', 'from', 'to', 'shared_by', 'organization_id'];
  const columns = CATEGORIES.flatMap((name) => [`${name}_direct_micros`, `${name}_shared_micros`]);
  const lines = report.tenants.map(({ organizationId, parts, total }) => [
    ...[currency, from, to, shared_by, organizationId],
    ...CATEGORIES.flatMap((name) => [parts[name].direct, parts[name].shared].map(String)),
    String(total),
  ]);
  return stringify([[...head, ...columns, 'total_micros'], ...lines]);
}
