/**
 * The interactive lane: a TypeORM EntityManager inside one tenant transaction, for work that decides between statements.
 * The COMMIT's tag is checked, because a server that rolled back answers COMMIT with ROLLBACK and no error. The entry may
 * be tried again as long as nothing has been executed; the function itself never is, as it may have had other effects.
 */
import { Injectable } from '@nestjs/common';
import { RowTally, type TenantContext, TenantContextHolder, WriteScope } from '#libs/tenancy';
import { DataSource, type EntityManager } from 'typeorm';
import type { FlightStatement } from '../lanes/flight';
import { InteractiveLane, type OpenedLane, type SendQuery } from '../lanes/interactive-lane';
import { enterWrite, PRIMARY_POSITION } from './entry-statements';
import { handOn, type LaneSpan } from './lane-span';
import { NodeFlights } from './node-flights';
import { OpenTransaction, type TransactionPlan } from './open-transaction';
import type { Place } from './place';
import { ReadRoutes } from './read-routes';
import { TenantEntrance } from './tenant-entrance';

interface RunnerState {
  databaseConnection: InteractiveLane;
  isTransactionActive: boolean;
  transactionDepth: number;
}

const BEGIN: FlightStatement = { name: 'begin', text: 'BEGIN ISOLATION LEVEL READ COMMITTED', values: [] };

/** Begins a transaction somewhere, with its first query. */
type Begin = (first: FlightStatement) => Promise<Opened>;
type Opened = Awaited<ReturnType<typeof OpenTransaction.begin>> & { readonly place: Place };

@Injectable()
export class TenantTransactions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly entrance: TenantEntrance,
    private readonly flights: NodeFlights,
    private readonly routes: ReadRoutes,
    private readonly tenant: TenantContextHolder,
    private readonly rows: RowTally,
    private readonly scope: WriteScope,
  ) {}

  write<T>(work: (manager: EntityManager) => Promise<T>, span?: LaneSpan): Promise<T> {
    const attempt = (first: FlightStatement) => (place: Place) => this.beginWrite(place, first, span);
    const begin: Begin = (first) => this.entrance.enter(attempt(first), { isRead: false });
    return this.scope.run(() => this.run(work, begin));
  }

  read<T>(work: (manager: EntityManager) => Promise<T>, wantsPrimary: boolean, span?: LaneSpan): Promise<T> {
    const attempt = (first: FlightStatement) => (place: Place) => this.beginRead(place, wantsPrimary, first, span);
    return this.run(work, (first) => this.entrance.enter(attempt(first), { isRead: true }));
  }

  /** The manager must not be used after `work` has settled. */
  private async run<T>(work: (manager: EntityManager) => Promise<T>, begin: Begin): Promise<T> {
    const context = this.tenant.current();
    let open: Opened | undefined;
    const opener = {
      open: async (text: string, values: readonly unknown[]): Promise<OpenedLane> => {
        open = await begin(this.flights.named(text, values));
        if (!('failure' in open.first)) this.rows.count(context, [open.first]);
        return { send: this.counted(context, open.transaction.send), first: open.first };
      },
    };
    const lane = new InteractiveLane(opener);
    try {
      const result = await work(this.managerOn(lane));
      await lane.close();
      if (open) await this.commit(open);
      return result;
    } catch (error) {
      await lane.close();
      if (open && !open.transaction.isOver) await open.transaction.rollBack();
      throw error;
    }
  }

  private async commit({ place, transaction }: Opened): Promise<void> {
    const reached = await transaction.commit();
    if (reached || transaction.isRead) this.routes.observe(place, reached);
    else await this.routes.observeLost(place);
  }

  private counted(context: TenantContext, send: SendQuery): SendQuery {
    return async (text, values) => {
      const result = await send(text, values);
      this.rows.count(context, [result]);
      return result;
    };
  }

  private managerOn(lane: InteractiveLane): EntityManager {
    const runner = this.dataSource.createQueryRunner();
    const state = runner as unknown as RunnerState;
    state.databaseConnection = lane;
    state.isTransactionActive = true;
    state.transactionDepth = 1; // TypeORM then nests by savepoint instead of opening a transaction of its own
    return runner.manager;
  }

  private async beginWrite(place: Place, first: FlightStatement, span?: LaneSpan) {
    const taken = this.entrance.slot(place);
    const release = taken instanceof Promise ? await taken : taken;
    const node = this.primaryOf(place, release);
    span?.wentTo(place.shard, node);
    const plan: TransactionPlan = {
      place,
      node,
      opening: [BEGIN, enterWrite(place), ...handOn(span)],
      position: PRIMARY_POSITION,
      isRead: false,
      release,
    };
    return { ...(await OpenTransaction.begin(this.flights, plan, first)), place };
  }

  private primaryOf({ shard }: Place, release: () => void) {
    try {
      return shard.requirePrimary();
    } catch (error) {
      release();
      throw error;
    }
  }

  private async beginRead(place: Place, wantsPrimary: boolean, first: FlightStatement, span?: LaneSpan) {
    const begun = await this.routes.elsewhere(place, wantsPrimary, async (target) => {
      span?.wentTo(place.shard, target.node);
      const plan = { place, ...target, isRead: true, opening: [BEGIN, ...target.opening] };
      return OpenTransaction.begin(this.flights, plan, first);
    });
    return { ...begun, place };
  }
}
