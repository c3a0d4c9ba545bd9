/** SQL that reads orders, and the flights that change them. */
import { Injectable } from '@nestjs/common';
import { notFound, type Statement, TenantDatabase, tenantRead } from '#libs/database';
import { IdempotentFlight, type IdempotentReply, type IdempotentRequest, recordStatement } from '#libs/idempotency';
import { type OutboxEvent, outboxStatement } from '#libs/queues';
import type { Order, OrderSummary } from './order.schema';
import { orderBody, orderSummary } from './order.sql';

const select = tenantRead('order_select', orderBody('$2::uuid'));
const record = recordStatement('order_record', orderBody('$5::uuid'));
const list = tenantRead(
  'order_list',
  `select ${orderSummary('o')} as body from orders o where o.organization_id = $1 and o.id > $2::uuid order by o.id limit $3`,
);
const listByState = tenantRead(
  'order_list_by_state',
  `select ${orderSummary('o')} as body from orders o
   where o.organization_id = $1 and o.state = $4 and o.id > $2::uuid order by o.id limit $3`,
);
const listByReference = tenantRead(
  'order_list_by_reference',
  `select ${orderSummary('o')} as body from orders o
   where o.organization_id = $1 and o.reference = $4 and o.id > $2::uuid and o.state = coalesce($5, o.state) order by o.id limit $3`,
);

export interface OrderWrite {
  readonly id: string;
  readonly status: number;
  readonly statements: readonly Statement[];
  /** Run after the answer is recorded, under locks on stock levels. */
  readonly last?: readonly Statement[];
  readonly event: Omit<OutboxEvent, 'aggregateType' | 'aggregateId'>;
}

export interface OrderPage {
  readonly after: string;
  readonly limit: number;
  readonly state: string | undefined;
  readonly reference: string | undefined;
}

@Injectable()
export class OrderRepository {
  constructor(
    private readonly database: TenantDatabase,
    private readonly flight: IdempotentFlight,
  ) {}

  /** One flight: the statements, their event for the outbox, and the record of the answer. */
  write(request: IdempotentRequest, write: OrderWrite): Promise<IdempotentReply<Order>> {
    return this.flight.run<Order>(request, {
      status: write.status,
      statements: [
        ...write.statements,
        outboxStatement([{ ...write.event, aggregateType: 'order', aggregateId: write.id }]),
      ],
      record: record(write.id),
      last: write.last ?? [],
    });
  }

  async get(id: string): Promise<Order> {
    const [row] = await this.database.statement<{ body: Order }>(select(id));
    if (!row) throw notFound();
    return row.body;
  }

  /** Up to limit + 1 orders, oldest first. */
  async list({ after, limit, state, reference }: OrderPage): Promise<OrderSummary[]> {
    const statement =
      reference !== undefined
        ? listByReference(after, limit + 1, reference, state ?? null)
        : state !== undefined
          ? listByState(after, limit + 1, state)
          : list(after, limit + 1);
    const rows = await this.database.statement<{ body: OrderSummary }>(statement);
    return rows.map((row) => row.body);
  }
}
