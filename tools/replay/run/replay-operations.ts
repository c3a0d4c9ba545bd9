/**
 * Pass 2: sends every operation of the file and compares each answer with the fold, which decides first.
 *
 * Where a SKU can run short the operations that touch it go out in file order. It cannot once nothing is under way
 * for it and its level covers all that the rest of the file asks for; from then on no order of events can refuse it.
 */
import type { OrderResource, Outcome, StockyardApi } from '../client/stockyard-api';
import { toOperations } from '../model/classify';
import type { StockState } from '../model/fold';
import type { Operation } from '../model/operation';
import type { Progress } from '../output/progress';
import { type InvoiceSource, readInvoices } from '../source/invoices';
import type { Mismatches } from './mismatches';
import { OrderedScheduler } from './ordered-scheduler';
import type { ReplayedOrganization } from './replayed-organization';

export interface Replay {
  readonly api: StockyardApi;
  readonly run: string;
  readonly source: InvoiceSource;
  readonly organizations: ReadonlyMap<string, ReplayedOrganization>;
  readonly concurrency: number;
  readonly mismatches: Mismatches;
  readonly progress: Progress;
}

export interface ReplayOutcome {
  /** Lines of the file in the operations that were sent. */
  readonly lines: number;
  readonly seconds: number;
  /** Of each POST /v1/orders, accepted or refused. */
  readonly orderMilliseconds: readonly number[];
  /** A few ids of orders by country, for the check of the wall. */
  readonly orderIds: ReadonlyMap<string, readonly string[]>;
}

/** Operations admitted ahead of the oldest unfinished one, for each request in flight. */
const LOOK_AHEAD = 32;
const SAMPLED_IDS = 100;

/** The SKUs of an operation that must be taken in file order, decided before the operation is folded in. */
export function contended(states: readonly StockState[], ordered: OrderedSkus): StockState[] {
  return states.filter((state) => ordered.mustWait(state));
}

/** Remembers which SKUs can no longer run short. */
export class OrderedSkus {
  private readonly safe = new WeakSet<StockState>();

  constructor(private readonly isHeld: (state: StockState) => boolean) {}

  mustWait(state: StockState): boolean {
    if (this.safe.has(state)) return false;
    if (state.level < state.outflowAhead || this.isHeld(state)) return true;
    this.safe.add(state);
    return false;
  }
}

function judge(
  replay: Replay,
  where: string,
  expected: { accepted: boolean; operation: Operation },
  outcome: Outcome,
): void {
  const { mismatches } = replay;
  const { operation } = expected;
  if (outcome.accepted !== expected.accepted) {
    mismatches.add(`${where}: ${outcome.accepted ? 'accepted' : 'refused'}, the file gives the opposite`);
  } else if (outcome.accepted && operation.kind !== 'adjustment') {
    const resource = outcome.body as OrderResource;
    mismatches.compare(`${where} total_minor`, resource.total_minor, operation.totalMinor);
    if (operation.kind === 'order') mismatches.compare(`${where} state`, resource.state, 'fulfilled');
  }
}

export async function replayOperations(replay: Replay): Promise<ReplayOutcome> {
  const { api, progress, concurrency } = replay;
  const scheduler = new OrderedScheduler<StockState>({ concurrency, window: concurrency * LOOK_AHEAD });
  const ordered = new OrderedSkus((state) => scheduler.isHeld(state));
  const orderMilliseconds: number[] = [];
  const orderIds = new Map<string, string[]>();
  let sequence = 0;
  let lines = 0;
  const started = performance.now();

  const send = async (operation: Operation, organization: ReplayedOrganization, accepted: boolean, key: string) => {
    const outcome = await api.perform(organization.key, operation, key);
    const where = `${organization.country} ${operation.kind} ${operation.reference}`;
    judge(replay, where, { accepted, operation }, outcome);
    if (operation.kind === 'order') {
      orderMilliseconds.push(outcome.milliseconds);
      const ids = orderIds.get(organization.country) ?? [];
      if (outcome.accepted && ids.length < SAMPLED_IDS) ids.push((outcome.body as OrderResource).id);
      orderIds.set(organization.country, ids);
    }
    progress.advance(1);
  };

  for await (const invoice of readInvoices(replay.source)) {
    const organization = replay.organizations.get(invoice.country);
    if (!organization) throw new Error(`${invoice.country} was not seen in the first pass: the file changed.`);
    for (const operation of toOperations(invoice)) {
      const states = [...operation.changes.keys()].map((sku) => organization.fold.state(sku));
      const keys = contended(states, ordered);
      const accepted = organization.fold.decide(operation);
      const idempotencyKey = `replay-${replay.run}-${(sequence += 1)}`;
      lines += operation.sourceLines;
      await scheduler.submit(keys, () => send(operation, organization, accepted, idempotencyKey));
    }
  }
  await scheduler.drain();
  return { lines, seconds: (performance.now() - started) / 1_000, orderMilliseconds, orderIds };
}
