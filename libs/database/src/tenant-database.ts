/**
 * The gateway to tenant data. Three lanes, one contract: the tenant is the one of the current context, it is set
 * transaction-locally, and nothing else in the code base sets it.
 *
 * - statement: one statement, one network flight, an implicit transaction
 * - batch: several statements known ahead, one flight, all or nothing
 * - read / write: a TypeORM EntityManager in an interactive transaction
 *
 * Statement and batch try again after a deadlock or serialization failure (everything was rolled back); the
 * interactive lane does not, because its function may have had other effects.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { TenantContextHolder } from '#libs/tenancy';
import type { Pool } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { databaseSilent, isRetryable, translateDatabaseError } from './database.error';
import { Flight, type FlightStatement } from './lanes/flight';
import type { Statement, StatementResult } from './lanes/statement';
import { DatabaseSilence, inTransaction } from './lanes/transaction';

const ATTEMPTS = 4;
const SET_TENANT: Pick<FlightStatement, 'name' | 'text'> = {
  name: 'set_tenant',
  text: "select set_config('app.tenant_id', $1, true)",
};

@Injectable()
export class TenantDatabase {
  private readonly pool: Pool;

  constructor(
    private readonly dataSource: DataSource,
    private readonly tenant: TenantContextHolder,
    @Inject(APP_CONFIG)
    private readonly config: Pick<AppConfig, 'DATABASE_PREPARED_STATEMENTS' | 'DATABASE_ANSWER_TIMEOUT_MS'>,
  ) {
    this.pool = (dataSource.driver as unknown as { master: Pool }).master;
  }

  /** One statement. Resolves with its rows. */
  async statement<Row>(statement: Statement): Promise<Row[]> {
    const [result] = await this.batch([statement]);
    return result!.rows as Row[];
  }

  /** Several statements, all or nothing, in order. Resolves with one result each. */
  async batch(statements: readonly Statement[]): Promise<StatementResult<unknown>[]> {
    const { organizationId } = this.tenant.current();
    const flight: FlightStatement[] = [{ ...SET_TENANT, values: [organizationId] }];
    for (const { name, text, values } of statements) flight.push({ name, text, values: [organizationId, ...values] });
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await this.fly(flight)).slice(1);
      } catch (error) {
        if (attempt >= ATTEMPTS || !isRetryable(error)) throw translateDatabaseError(error);
        await delay(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  /** Reads that need more than one round trip, in one READ ONLY transaction. */
  read<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.interact('read', work);
  }

  /** Writes that need more than one round trip, in one transaction. */
  write<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.interact('write', work);
  }

  private async interact<T>(mode: 'read' | 'write', work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const { organizationId } = this.tenant.current();
    try {
      const answerTimeoutMs = this.config.DATABASE_ANSWER_TIMEOUT_MS;
      return await inTransaction(this.dataSource, { organizationId, mode, answerTimeoutMs }, work);
    } catch (error) {
      if (error instanceof DatabaseSilence) throw databaseSilent();
      throw translateDatabaseError(error);
    }
  }

  private async fly(statements: readonly FlightStatement[]): Promise<StatementResult<unknown>[]> {
    const client = await this.pool.connect();
    // A checked-out client tells the loss of its connection twice: by the flight, and by an event that would end the process.
    const toldByTheFlight = () => undefined;
    client.on('error', toldByTheFlight);
    let deadline: NodeJS.Timeout | undefined;
    const connection = { silent: false };
    try {
      const prepare = this.config.DATABASE_PREPARED_STATEMENTS === 'on';
      const answer = client.query(new Flight(statements, prepare)).results;
      const silence = new Promise<never>((_, reject) => {
        deadline = setTimeout(() => {
          connection.silent = true;
          reject(databaseSilent());
        }, this.config.DATABASE_ANSWER_TIMEOUT_MS);
      });
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(deadline);
      client.release(connection.silent); // pg-pool drops a client whose connection broke; a silent one is dropped here
      if (!connection.silent) client.off('error', toldByTheFlight);
    }
  }
}
