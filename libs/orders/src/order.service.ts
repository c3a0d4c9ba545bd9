/** Orders: rules that need no database, then one flight. */
import { Injectable } from '@nestjs/common';
import { addMinor, decodeCursor, isUuid, multiplyMinor, newId, type ShapeType, StockyardError } from '#libs/kernel';
import type { IdempotentReply } from '#libs/idempotency';
import type { Origin } from '#libs/inventory';
import { TenantContextHolder } from '#libs/tenancy';
import { orderCreateStatements } from './order-create.statements';
import { OrderRepository } from './order.repository';
import type { CreateOrder, FulfilOrder, Order, ORDER_QUERY, OrderSummary } from './order.schema';
import { type OrderAction, orderTransitionStatements } from './order-transition.statements';

const FIRST = '00000000-0000-0000-0000-000000000000';

export interface OrderCommand {
  readonly id: string;
  readonly action: OrderAction;
  readonly key: string;
  /** From If-Match; undefined where the client does not care. */
  readonly version: number | undefined;
  readonly lines?: FulfilOrder['lines'];
}

const PAST: Readonly<Record<OrderAction, string>> = {
  confirm: 'order.confirmed',
  allocate: 'order.allocated',
  fulfil: 'order.fulfilled',
  cancel: 'order.cancelled',
};

function checkLines(lines: CreateOrder['lines']): void {
  lines.forEach((line, index) => {
    if (line.kind === 'goods' && (line.sku === undefined) === (line.product_id === undefined)) {
      throw new StockyardError({
        code: 'invalid_value',
        category: 'invalid',
        param: `lines[${index}].sku`,
        message: 'Name the product by sku or by product_id, one of them.',
      });
    }
  });
  // The sum must stay a safe integer whatever the order of its lines; prices left to the product are bounded alike.
  lines.reduce(
    (sum, line) => addMinor(sum, Math.abs(multiplyMinor(line.unit_price_minor ?? 0, line.quantity ?? 1))),
    0,
  );
}

@Injectable()
export class OrderService {
  constructor(
    private readonly orders: OrderRepository,
    private readonly tenant: TenantContextHolder,
  ) {}

  /** 409 insufficient_stock leaves nothing behind. */
  create(key: string, body: CreateOrder): Promise<IdempotentReply<Order>> {
    checkLines(body.lines);
    const id = newId();
    const state = body.advance_to ?? 'allocated';
    const occurredAt = body.occurred_at === undefined ? new Date() : new Date(body.occurred_at);
    const work = orderCreateStatements({ id, state, body, origin: this.origin(id, 'order placed', occurredAt) });
    return this.orders.write(
      { key, operation: 'order.create', body },
      { id, status: 201, ...work, event: { topic: `order.${state}`, payload: { order_id: id, state } } },
    );
  }

  advance(command: OrderCommand): Promise<IdempotentReply<Order>> {
    const { id, action, key, version, lines } = command;
    const statements = orderTransitionStatements({
      id,
      action,
      version,
      lines,
      origin: this.origin(id, `order: ${action}`, new Date()),
    });
    return this.orders.write(
      { key, operation: `order.${action}:${id}`, body: { lines: lines ?? null } },
      { id, status: 200, statements, event: { topic: PAST[action], payload: { order_id: id } } },
    );
  }

  get(id: string): Promise<Order> {
    return this.orders.get(id);
  }

  list(query: ShapeType<typeof ORDER_QUERY>): Promise<OrderSummary[]> {
    const [after] = query.cursor === undefined ? [FIRST] : decodeCursor(query.cursor, [isUuid]);
    return this.orders.list({ after: after!, limit: query.limit, state: query.state, reference: query.reference });
  }

  private origin(orderId: string, reason: string, occurredAt: Date): Origin {
    return { actor: this.tenant.current().actor, reason, occurredAt, reference: { type: 'order', id: orderId } };
  }
}
