/** Test double: the stock, orders and returns of one organization in memory, with faults that can be switched on. */
import { newId } from '#libs/kernel';

/** What the stand-in does wrong on purpose. */
export type Fault =
  | 'loses-a-unit' // the third order takes one unit more than it says
  | 'forgets-a-movement' // the third order writes no movements
  | 'oversells' // nothing is ever refused
  | 'refuses-what-is-there' // the third order is refused
  | 'keeps-part-of-a-refusal' // a refused order keeps the lines that fit
  | 'miscounts-money' // the third order is a penny off
  | 'leaves-an-order-open' // the third order is not fulfilled
  | 'shows-foreign-ids' // the wall has a door
  | 'hints-at-foreign-ids' // 404, but with other words
  | 'answers-and-hangs-up' // the first attempt of each third write takes effect and loses its answer
  | 'is-busy' // the first attempt of each third write is answered 503 with Retry-After
  | 'forgets-idempotency-keys' // an attempt that comes again takes effect again
  | 'fails-an-import'
  | 'skips-lines-of-an-import';

export interface WriteLine {
  readonly kind: 'goods' | 'charge' | 'discount';
  readonly sku: string;
  readonly quantity: number;
  readonly unit_price_minor: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface StandInProduct {
  readonly product_id: string;
  readonly location_id: string;
  readonly sku: string;
  onHand: number;
  /** Sum of the movements. */
  moved: number;
}

const NTH = 3;

export const problem = (status: number, code: string): Answer => ({
  status,
  body: { type: 'about:blank', status, code, detail: code, request_id: newId() },
});

export class StandInLedger {
  readonly products = new Map<string, StandInProduct>();
  readonly orders: { id: string; state: string; total_minor: number }[] = [];
  readonly returns: { id: string; total_minor: number }[] = [];
  private readonly locationId = newId();
  private orderNumber = 0;

  constructor(private readonly has: (fault: Fault) => boolean) {}

  open(sku: string, onHand: number): void {
    this.products.set(sku, { sku, product_id: newId(), location_id: this.locationId, onHand, moved: onHand });
  }

  order(lines: readonly WriteLine[]): Answer {
    this.orderNumber += 1;
    const nth = (fault: Fault): boolean => this.orderNumber === NTH && this.has(fault);
    const deltas = goods(lines, -1);
    if (nth('refuses-what-is-there') || !this.fits(deltas)) {
      if (this.has('keeps-part-of-a-refusal')) for (const delta of deltas) if (this.fits([delta])) this.move([delta]);
      return problem(409, 'insufficient_stock');
    }
    this.move(deltas, !nth('forgets-a-movement'));
    if (nth('loses-a-unit')) this.products.get(deltas[0]!.sku)!.onHand -= 1;
    const total_minor = total(lines) + (nth('miscounts-money') ? 1 : 0);
    const order = { id: newId(), state: nth('leaves-an-order-open') ? 'allocated' : 'fulfilled', total_minor };
    this.orders.push(order);
    return { status: 201, body: order };
  }

  return(lines: readonly WriteLine[]): Answer {
    this.move(goods(lines, 1));
    const made = { id: newId(), total_minor: total(lines) };
    this.returns.push(made);
    return { status: 201, body: made };
  }

  adjust(deltas: readonly { sku: string; delta: number }[]): Answer {
    if (!this.fits(deltas)) return problem(409, 'insufficient_stock');
    this.move(deltas);
    return { status: 201, body: { id: newId() } };
  }

  private fits(deltas: readonly { sku: string; delta: number }[]): boolean {
    if (this.has('oversells')) return true;
    const sums = new Map<string, number>();
    for (const { sku, delta } of deltas) sums.set(sku, (sums.get(sku) ?? 0) + delta);
    return [...sums].every(([sku, delta]) => this.products.get(sku)!.onHand + delta >= 0);
  }

  private move(deltas: readonly { sku: string; delta: number }[], written = true): void {
    for (const { sku, delta } of deltas) {
      const product = this.products.get(sku)!;
      product.onHand += delta;
      if (written) product.moved += delta;
    }
  }
}

function goods(lines: readonly WriteLine[], direction: 1 | -1): { sku: string; delta: number }[] {
  return lines
    .filter(({ kind }) => kind === 'goods')
    .map(({ sku, quantity }) => ({ sku, delta: direction * quantity }));
}

function total(lines: readonly WriteLine[]): number {
  return lines.reduce((sum, { quantity, unit_price_minor }) => sum + quantity * unit_price_minor, 0);
}
