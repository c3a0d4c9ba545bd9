/**
 * The gateway to tenant data. Three lanes, one contract: the tenant is the one of the current context, it is set
 * transaction-locally, and nothing else in the code base sets it.
 *
 * - statement: one statement, one network flight, an implicit transaction
 * - batch: several statements known ahead, one flight, all or nothing
 * - read / write: a TypeORM EntityManager in an interactive transaction
 *
 * Writes go to the primary of the tenant's shard, past its fence; reads to any node that has replayed what the caller has
 * seen (docs/data-plane.md). Statement and batch try again after a deadlock or serialization failure (everything was
 * rolled back); the interactive lane does not, because its function may have had other effects.
 */
import { Injectable } from '@nestjs/common';
import { RowTally, TenantContextHolder } from '#libs/tenancy';
import type { EntityManager } from 'typeorm';
import { translateDatabaseError, translateWriteError } from './database.error';
import { LaneSpan } from './gateway/lane-span';
import { LaneWatch } from './gateway/lane-watch';
import { TenantFlights } from './gateway/tenant-flights';
import { TenantTransactions } from './gateway/tenant-transactions';
import type { ReadFrom, Statement, StatementResult } from './lanes/statement';

@Injectable()
export class TenantDatabase {
  constructor(
    private readonly flights: TenantFlights,
    private readonly transactions: TenantTransactions,
    private readonly tenant: TenantContextHolder,
    private readonly rows: RowTally,
    private readonly watch: LaneWatch,
  ) {}

  /** One statement. Resolves with its rows. */
  async statement<Row>(statement: Statement): Promise<Row[]> {
    const isRead = statement.reads !== undefined;
    const [result] = await this.watch.use('statement', isRead, () => this.fly([statement], isRead));
    return result!.rows as Row[];
  }

  /** Several statements, all or nothing, in order; a read if all of them are. Resolves with one result each. */
  batch(statements: readonly Statement[]): Promise<StatementResult<unknown>[]> {
    const isRead = statements.every(({ reads }) => reads !== undefined);
    return this.watch.use('batch', isRead, () => this.fly(statements, isRead));
  }

  /** Reads that need more than one round trip, in one READ ONLY transaction. */
  read<T>(work: (manager: EntityManager) => Promise<T>, from: ReadFrom = 'replica'): Promise<T> {
    return this.watch.use('interactive', true, async () => {
      const span = LaneSpan.ofTransaction(true, this.tenant.peek()?.organizationId);
      try {
        const result = await this.transactions.read(work, from === 'primary', span);
        span?.end();
        return result;
      } catch (error) {
        span?.fail(error);
        throw translateDatabaseError(error);
      }
    });
  }

  /** Writes that need more than one round trip, in one transaction. */
  write<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.watch.use('interactive', false, async () => {
      const span = LaneSpan.ofTransaction(false, this.tenant.peek()?.organizationId);
      try {
        const result = await this.transactions.write(work, span);
        span?.end();
        return result;
      } catch (error) {
        span?.fail(error);
        throw translateWriteError(error);
      }
    });
  }

  private async fly(statements: readonly Statement[], isRead: boolean): Promise<StatementResult<unknown>[]> {
    const span = LaneSpan.ofFlight(statements, isRead, this.tenant.peek()?.organizationId);
    try {
      const results = await (isRead ? this.flights.read(statements, span) : this.flights.write(statements, span));
      this.rows.count(this.tenant.current(), results);
      span?.end(results.reduce((sum, { rows }) => sum + rows.length, 0));
      return results;
    } catch (error) {
      span?.fail(error);
      throw isRead ? translateDatabaseError(error) : translateWriteError(error);
    }
  }
}
