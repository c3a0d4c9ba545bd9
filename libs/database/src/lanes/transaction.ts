/**
 * The interactive lane: a TypeORM EntityManager inside one tenant transaction. BEGIN and the tenant travel together;
 * the COMMIT's tag is checked, because a server that rolled back answers COMMIT with ROLLBACK and no error.
 */
import { StockyardError } from '#libs/kernel';
import type { PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

interface RunnerState {
  isTransactionActive: boolean;
  transactionDepth: number;
}

export interface TransactionOptions {
  readonly organizationId: string;
  readonly mode: 'read' | 'write';
  /** Longest wait for the answer to BEGIN and to COMMIT in milliseconds: a server that is frozen shows at one of them. */
  readonly answerTimeoutMs: number;
}

/** The server kept the connection and did not answer; nothing more can be sent on it. */
export class DatabaseSilence extends Error {}

async function answered<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DatabaseSilence('The database did not answer in time.'));
    }, timeoutMs);
  });
  answer.catch(() => undefined); // told once, by the race
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `work` in one transaction of one tenant. The manager must not be used after `work` has settled. */
export async function inTransaction<T>(
  dataSource: DataSource,
  options: TransactionOptions,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  const client = (await runner.connect()) as PoolClient;
  let broken: Error | undefined;
  try {
    await answered(open(client, runner, options), options.answerTimeoutMs);
    const result = await work(runner.manager);
    const tag = await answered(client.query('COMMIT'), options.answerTimeoutMs);
    if (tag.command !== 'COMMIT') throw rolledBack();
    markClosed(runner);
    return result;
  } catch (error) {
    if (error instanceof DatabaseSilence)
      broken = error; // dropped with its connection: a ROLLBACK would wait as long
    else if ((runner as unknown as RunnerState).isTransactionActive) {
      await client.query('ROLLBACK').catch((failure: unknown) => {
        broken = failure as Error;
      });
      markClosed(runner);
    }
    throw error;
  } finally {
    await (runner as unknown as { releasePostgresConnection(error?: Error): Promise<void> }).releasePostgresConnection(
      broken,
    );
  }
}

async function open(client: PoolClient, runner: QueryRunner, options: TransactionOptions): Promise<void> {
  const state = runner as unknown as RunnerState;
  state.isTransactionActive = true;
  state.transactionDepth = 1; // TypeORM then nests by savepoint instead of opening a transaction of its own
  const readOnly = options.mode === 'read' ? ' READ ONLY' : '';
  await client.query(
    `BEGIN ISOLATION LEVEL READ COMMITTED${readOnly}; ` +
      `SELECT set_config('app.tenant_id', ${client.escapeLiteral(options.organizationId)}, true)`,
  );
}

function markClosed(runner: QueryRunner): void {
  const state = runner as unknown as RunnerState;
  state.isTransactionActive = false;
  state.transactionDepth = 0;
}

function rolledBack(): StockyardError {
  return new StockyardError({
    code: 'transaction_rolled_back',
    category: 'internal',
    message: 'The transaction was rolled back although no error was raised; an error inside it was swallowed.',
  });
}
