/**
 * The replay's own account of one organization, folded over the file in its order and independent of any server: it
 * decides whether an operation is accepted, and what levels, orders and money must be in the end.
 */
import { addMinor } from '#libs/kernel';
import type { Operation } from './operation';
import { openingStock, type Scarcity } from './scarcity';
import type { CountrySurvey } from './survey';

/** The stock of one SKU as of the operations folded so far. */
export interface StockState {
  readonly sku: string;
  level: number;
  /** Units that operations not yet folded will ask for. */
  outflowAhead: number;
}

export interface FoldTotals {
  orders: number;
  revenueMinor: number;
  returns: number;
  returnedMinor: number;
  adjustments: number;
  /** Orders and write-offs refused for want of stock. */
  refused: number;
}

export class OrganizationFold {
  readonly totals: FoldTotals = {
    orders: 0,
    revenueMinor: 0,
    returns: 0,
    returnedMinor: 0,
    adjustments: 0,
    refused: 0,
  };
  private readonly stock = new Map<string, StockState>();

  constructor(survey: CountrySurvey, scarcity: Scarcity) {
    for (const { sku, outflow } of survey.products.values()) {
      this.stock.set(sku, { sku, level: openingStock(outflow, scarcity), outflowAhead: outflow });
    }
  }

  /** Every SKU, those with nothing in stock included. */
  states(): IterableIterator<StockState> {
    return this.stock.values();
  }

  state(sku: string): StockState {
    const state = this.stock.get(sku);
    if (!state) throw new Error(`${sku} was not seen when the file was surveyed: it changed between the two passes.`);
    return state;
  }

  /** Folds one operation in and tells whether stock allows it: all of its lines, or nothing of it. */
  decide(operation: Operation): boolean {
    const changes = [...operation.changes].map(([sku, change]) => ({ state: this.state(sku), change }));
    const accepted = changes.every(({ state, change }) => state.level + change >= 0);
    for (const { state, change } of changes) {
      if (change < 0) state.outflowAhead += change;
      if (accepted) state.level += change;
    }
    if (accepted) this.count(operation);
    else this.totals.refused += 1;
    return accepted;
  }

  private count(operation: Operation): void {
    const { totals } = this;
    if (operation.kind === 'order') {
      totals.orders += 1;
      totals.revenueMinor = addMinor(totals.revenueMinor, operation.totalMinor);
    } else if (operation.kind === 'return') {
      totals.returns += 1;
      totals.returnedMinor = addMinor(totals.returnedMinor, operation.totalMinor);
    } else {
      totals.adjustments += 1;
    }
  }
}
