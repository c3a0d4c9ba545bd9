/** Adjustments: rules that need no database, then one flight. */
import { Injectable } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import type { IdempotentReply } from '#libs/idempotency';
import { TenantContextHolder } from '#libs/tenancy';
import { AdjustmentRepository } from './adjustment.repository';
import type { Adjustment, CreateAdjustment } from './adjustment.schema';

function refuseLine(index: number, field: string, message: string): never {
  throw new StockyardError({ code: 'invalid_value', category: 'invalid', param: `lines[${index}].${field}`, message });
}

function checkLine(line: CreateAdjustment['lines'][number], index: number): void {
  if ((line.sku === undefined) === (line.product_id === undefined)) {
    refuseLine(index, 'sku', 'Name the product by sku or by product_id, one of them.');
  }
  if ((line.delta === undefined) === (line.quantity === undefined)) {
    refuseLine(index, 'delta', 'Give delta (a change) or quantity (a count), one of them.');
  }
  if (line.expected_quantity !== undefined && line.quantity === undefined) {
    refuseLine(index, 'expected_quantity', 'expected_quantity goes with quantity.');
  }
  if (line.bucket !== undefined && line.delta === undefined) refuseLine(index, 'bucket', 'bucket goes with delta.');
}

@Injectable()
export class AdjustmentService {
  constructor(
    private readonly adjustments: AdjustmentRepository,
    private readonly tenant: TenantContextHolder,
  ) {}

  /** All lines or none. 409 insufficient_stock or stale_quantity leave nothing behind. */
  adjust(key: string, body: CreateAdjustment): Promise<IdempotentReply<Adjustment>> {
    body.lines.forEach(checkLine);
    const origin = {
      actor: this.tenant.current().actor,
      reason: body.reason,
      occurredAt: body.occurred_at === undefined ? new Date() : new Date(body.occurred_at),
      reference: null,
    };
    return this.adjustments.adjust({ key, operation: 'adjustment.create', body }, body, origin);
  }
}
