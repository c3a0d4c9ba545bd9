/**
 * Goes through all levels, some hundred at a time, and compares each with the sum of its movements. To repair is to write what
 * the movements lack as one more movement: stock, which orders are promised from, is not changed, and a count afterwards
 * brings it to what is on the shelf. Every correction stands in the audit log, in the same transaction.
 */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { type Statement, TenantDatabase } from '#libs/database';
import { newId } from '#libs/kernel';
import type { JobContext } from '#libs/queues';
import { TenantContextHolder } from '#libs/tenancy';
import { originOf } from '../origin';
import { compare, lock, nextLevels, repair } from './reconcile.statements';

const PAGE = 200;
/** Differences that a result tells one by one. */
const TOLD = 100;
const FIRST = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export interface StockDifference {
  readonly product_id: string;
  readonly sku: string | null;
  readonly location_id: string;
  readonly location: string | null;
  /** Units in the level, and the sum of its movements. Text, as they may be any number. */
  readonly on_hand: string;
  readonly moved: string;
  /** By bucket: what the level has more than its movements say. */
  readonly missing: Readonly<Record<string, string>>;
}

/** So far; at the end the result of the job. */
export interface Reconciled {
  readonly levels: number;
  readonly differences: number;
  readonly repaired: number;
  /** The first of the differences. */
  readonly first: readonly StockDifference[];
}

export interface ReconcileCheckpoint extends Reconciled {
  readonly after: LevelKey;
}

type LevelKey = readonly [productId: string, locationId: string];

interface ComparedPage {
  readonly levels: number;
  readonly differences: readonly StockDifference[];
}

type Context = JobContext<object, ReconcileCheckpoint>;

const BEGINNING: ReconcileCheckpoint = { after: [FIRST, FIRST], levels: 0, differences: 0, repaired: 0, first: [] };

@Injectable()
export class Reconciliation {
  constructor(
    private readonly database: TenantDatabase,
    private readonly audit: AuditService,
    private readonly tenant: TenantContextHolder,
  ) {}

  async run(
    context: Context,
    { repairs }: { readonly repairs: boolean },
  ): Promise<Reconciled & Record<string, unknown>> {
    let done = context.checkpoint ?? BEGINNING;
    while (done.after[0] !== LAST) {
      const upTo = await this.endOfPage(done.after);
      const [page] = await this.database.statement<ComparedPage>(compare(...done.after, ...upTo));
      done = await this.settle(context, add(done, page!, upTo, repairs), repairs ? page!.differences : []);
    }
    const { levels, differences, repaired, first } = done;
    if (differences > 0)
      context.log('warn', `${differences} of ${levels} levels differ from the sum of their movements.`);
    return { levels, differences, repaired, first };
  }

  /** The last page goes on to the end of all keys, for movements whose level is not there. */
  private async endOfPage(after: LevelKey): Promise<LevelKey> {
    const [next] = await this.database.statement<{ levels: number; product: string; place: string }>(
      nextLevels(...after, PAGE),
    );
    return next!.levels < PAGE ? [LAST, LAST] : [next!.product, next!.place];
  }

  private async settle(
    context: Context,
    checkpoint: ReconcileCheckpoint,
    wrong: readonly StockDifference[],
  ): Promise<ReconcileCheckpoint> {
    const statements = wrong.length === 0 ? [] : this.corrections(context.jobId, wrong);
    await context.commit({ checkpoint, statements, processed: checkpoint.levels, failed: 0, total: null });
    return checkpoint;
  }

  private corrections(jobId: string, wrong: readonly StockDifference[]): Statement[] {
    const lines = wrong.map(({ product_id, location_id }) => ({
      movement: newId(),
      product: product_id,
      place: location_id,
    }));
    const text = JSON.stringify(lines);
    const origin = originOf({
      actor: this.tenant.current().actor,
      reason: 'reconciliation',
      occurredAt: new Date(),
      reference: { type: 'job', id: jobId },
    });
    const entries = wrong.map(({ product_id, location_id, on_hand, moved, missing }, index) =>
      this.audit.statement({
        action: 'stock.reconciled',
        targetType: 'stock_movement',
        targetId: lines[index]!.movement,
        data: { job_id: jobId, product_id, location_id, on_hand, moved, ...missing },
      }),
    );
    return [lock(text), repair(text, ...origin), ...entries];
  }
}

function add(
  done: ReconcileCheckpoint,
  { levels, differences }: ComparedPage,
  after: LevelKey,
  repairs: boolean,
): ReconcileCheckpoint {
  return {
    after,
    levels: done.levels + levels,
    differences: done.differences + differences.length,
    repaired: done.repaired + (repairs ? differences.length : 0),
    first: [...done.first, ...differences].slice(0, TOLD),
  };
}
