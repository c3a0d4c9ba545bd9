/** An operation: one request that the replay sends, and what it must do to stock and money. */

export type PricedLine = Readonly<{ quantity: number; unit_price_minor: number }>;

/** A line as the API takes it. */
export type GoodsLine = PricedLine & Readonly<{ kind: 'goods'; sku: string }>;
export type OtherLine = PricedLine & Readonly<{ kind: 'charge' | 'discount'; sku: string; description: string }>;
export type AdjustmentLine = Readonly<{ sku: string; delta: number }>;

interface Effect {
  /** Reference of the invoice; unique within the file unless the file repeats an invoice number later on. */
  readonly reference: string;
  readonly occurredAt: string;
  /** Units by SKU, all of one sign: what leaves is negative. Empty where only money moves. */
  readonly changes: ReadonlyMap<string, number>;
  /** Sum of the lines in minor units; 0 for an adjustment. */
  readonly totalMinor: number;
  /** Lines of the file that it came from. */
  readonly sourceLines: number;
}

export interface OrderOperation extends Effect {
  readonly kind: 'order';
  readonly customer: string;
  readonly lines: readonly (GoodsLine | OtherLine)[];
}

export interface ReturnOperation extends Effect {
  readonly kind: 'return';
  readonly lines: readonly (GoodsLine | OtherLine)[];
}

export interface AdjustmentOperation extends Effect {
  readonly kind: 'adjustment';
  readonly reason: string;
  readonly lines: readonly AdjustmentLine[];
}

export type Operation = OrderOperation | ReturnOperation | AdjustmentOperation;
