/** The figures a replay ends with, as one line of JSON or as a table. */
import type { FoldTotals } from '../model/fold';

export interface Summary {
  readonly organizations: number;
  readonly products: number;
  /** Accepted orders. */
  readonly orders: number;
  /** Lines of the file in the operations sent. */
  readonly lines: number;
  readonly returns: number;
  readonly adjustments: number;
  /** Orders and write-offs refused with insufficient_stock. */
  readonly refused: number;
  readonly mismatches: number;
  /** From the first operation sent to the last answer; opening and checks are not in it. */
  readonly seconds: number;
  /** Accepted orders per second of `seconds`, in which returns and adjustments ran too. */
  readonly orders_per_second: number;
  /** Of POST /v1/orders, as the client saw it. */
  readonly p50_ms: number;
  readonly p99_ms: number;
}

/** Nearest-rank percentile; 0 of nothing. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  return sorted.length === 0 ? 0 : sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}

export interface SummaryInput {
  readonly totals: readonly FoldTotals[];
  readonly products: number;
  readonly lines: number;
  readonly mismatches: number;
  readonly seconds: number;
  readonly orderMilliseconds: readonly number[];
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

export function summarize(input: SummaryInput): Summary {
  const sum = (field: keyof FoldTotals) => input.totals.reduce((total, totals) => total + totals[field], 0);
  const latencies = Float64Array.from(input.orderMilliseconds).sort();
  const orders = sum('orders');
  return {
    organizations: input.totals.length,
    products: input.products,
    orders,
    lines: input.lines,
    returns: sum('returns'),
    adjustments: sum('adjustments'),
    refused: sum('refused'),
    mismatches: input.mismatches,
    seconds: round(input.seconds, 2),
    orders_per_second: input.seconds > 0 ? round(orders / input.seconds, 1) : 0,
    p50_ms: round(percentile(latencies, 50), 2),
    p99_ms: round(percentile(latencies, 99), 2),
  };
}

export function table(summary: Summary): string {
  const rows = Object.entries(summary) as [string, number][];
  const name = Math.max(...rows.map(([key]) => key.length));
  const value = Math.max(...rows.map(([, figure]) => String(figure).length));
  return rows.map(([key, figure]) => `${key.padEnd(name)}  ${String(figure).padStart(value)}\n`).join('');
}
