/**
 * What the lines of an invoice are. Goods are the codes that begin with five digits; every other code is money.
 *
 * | invoice | goods, quantity > 0 | goods, quantity < 0 | other codes                                    |
 * |---------|---------------------|---------------------|------------------------------------------------|
 * | sale    | order               | adjustment          | charge of the order, discount where it takes off |
 * | `C…`    | order (of its own)  | return, restocked   | charge of the return, discount where it takes off |
 *
 * An invoice that needs more than one operation gets them in this order: return, order, adjustment. Quantities and the
 * prices of goods are never negative in a request: the sign moves into the kind of the line.
 */
import { addMinor, multiplyMinor } from '#libs/kernel';
import type { Invoice } from '../source/invoices';
import type { RetailLine } from '../source/retail-line';
import type { AdjustmentLine, GoodsLine, Operation, OtherLine } from './operation';

const GOODS = /^\d{5}/;
const MAX_DESCRIPTION = 500;
const MAX_REASON = 200;
const MAX_ADJUSTMENT_LINES = 1_000;

export const isGoods = (sku: string): boolean => GOODS.test(sku);
export const isCancellation = (invoice: string): boolean => invoice.startsWith('C');

/** A line that is only money: what it adds to (or, `towards` −1, takes from) the total decides charge or discount. */
function moneyLine(line: RetailLine, towards: 1 | -1): OtherLine {
  const unit = towards * Math.sign(line.quantity) * line.priceMinor || 0; // never −0
  const takesOff = unit < 0 || (unit === 0 && towards * line.quantity < 0);
  return {
    kind: takesOff ? 'discount' : 'charge',
    sku: line.sku,
    description: (line.description || line.sku).slice(0, MAX_DESCRIPTION),
    quantity: Math.abs(line.quantity),
    unit_price_minor: unit,
  };
}

/** Goods at their price; a negative price becomes goods for nothing and a discount beside them. */
function goodsLines(line: RetailLine): (GoodsLine | OtherLine)[] {
  const quantity = Math.abs(line.quantity);
  const goods = { kind: 'goods', sku: line.sku, quantity, unit_price_minor: Math.max(line.priceMinor, 0) } as const;
  if (line.priceMinor >= 0) return [goods];
  return [goods, moneyLine({ ...line, quantity }, 1)];
}

function total(lines: readonly (GoodsLine | OtherLine)[]): number {
  return lines.reduce((sum, line) => addMinor(sum, multiplyMinor(line.unit_price_minor, line.quantity)), 0);
}

function changesOf(lines: readonly RetailLine[], direction: 1 | -1): Map<string, number> {
  const changes = new Map<string, number>();
  for (const { sku, quantity } of lines) {
    if (isGoods(sku)) changes.set(sku, (changes.get(sku) ?? 0) + direction * Math.abs(quantity));
  }
  return changes;
}

function writeOffReason(invoice: string, lines: readonly RetailLine[]): string {
  const said = [...new Set(lines.map(({ description }) => description).filter(Boolean))].join(', ');
  return `Invoice ${invoice}: ${said || 'stock correction without a reason'}`.slice(0, MAX_REASON);
}

/** The operations of an invoice, none of them empty. Throws MoneyError where a total leaves the safe range. */
export function toOperations(invoice: Invoice): Operation[] {
  const reference = invoice.part === 1 ? invoice.number : `${invoice.number}/${invoice.part}`;
  const cancelled = isCancellation(invoice.number);
  const sold: RetailLine[] = [];
  const back: RetailLine[] = [];
  const writtenOff: RetailLine[] = [];
  for (const line of invoice.lines) {
    if (!isGoods(line.sku)) (cancelled ? back : sold).push(line);
    else if (line.quantity > 0) sold.push(line);
    else (cancelled ? back : writtenOff).push(line);
  }
  const towards = (direction: 1 | -1) => (line: RetailLine) =>
    isGoods(line.sku) ? goodsLines(line) : [moneyLine(line, direction)];
  const operations: Operation[] = [];
  const common = { reference, occurredAt: invoice.lines[0]!.occurredAt };
  if (back.length > 0) {
    const lines = back.flatMap(towards(-1));
    const effect = { changes: changesOf(back, 1), totalMinor: total(lines), sourceLines: back.length };
    operations.push({ kind: 'return', ...common, ...effect, lines });
  }
  if (sold.length > 0) {
    const lines = sold.flatMap(towards(1));
    const effect = { changes: changesOf(sold, -1), totalMinor: total(lines), sourceLines: sold.length };
    operations.push({ kind: 'order', ...common, ...effect, customer: sold[0]!.customer, lines });
  }
  return [...operations, ...writeOffs(writtenOff, common)];
}

/** One adjustment, or several where more SKUs are written off than one takes. */
function writeOffs(lines: readonly RetailLine[], common: Pick<Operation, 'reference' | 'occurredAt'>): Operation[] {
  const deltas = [...changesOf(lines, -1)];
  const reason = writeOffReason(common.reference, lines);
  return Array.from({ length: Math.ceil(deltas.length / MAX_ADJUSTMENT_LINES) }, (_, index) => {
    const changes = new Map(deltas.slice(index * MAX_ADJUSTMENT_LINES, (index + 1) * MAX_ADJUSTMENT_LINES));
    return {
      kind: 'adjustment',
      ...common,
      changes,
      totalMinor: 0,
      sourceLines: lines.filter(({ sku }) => changes.has(sku)).length,
      reason,
      lines: [...changes].map(([sku, delta]): AdjustmentLine => ({ sku, delta })),
    };
  });
}
