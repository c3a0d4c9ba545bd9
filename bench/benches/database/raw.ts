/**
 * The reference: node-postgres as fast as it goes, by a superuser, for whom no policy is evaluated. Nothing checks where a
 * tenant is, keeps its share, or learns a position. Every statement keeps the predicate on its organization.
 */
import { DATABASE_TYPES, type Statement } from '#libs/database';
import { Pool, type PoolClient, type QueryConfig } from 'pg';
import type { Contestant } from '../../harness/bench';
import { inFlight } from '../../harness/parallel';
import type { Raw, Several } from './sides';

export interface RawOptions {
  readonly url: string;
  readonly organizationId: string;
  readonly connections: number;
  readonly inFlight: number;
  /** Whether statements are prepared by name. */
  readonly prepare: boolean;
}

type Work = (client: PoolClient) => Promise<unknown>;

async function onClient(pool: Pool, work: Work): Promise<void> {
  const client = await pool.connect();
  try {
    await work(client);
    client.release();
  } catch (error) {
    client.release(error as Error);
    throw error;
  }
}

export function openRaw({ url, organizationId, connections, prepare, ...options }: RawOptions): Raw {
  const open = (pipeline: boolean): Pool => {
    const pool = new Pool({ connectionString: url, max: connections, types: DATABASE_TYPES, pipeline });
    return pool.on('error', () => undefined); // an idle connection that broke is replaced at the next use
  };
  const pools = { plain: open(false), pipelined: open(true) };
  const contestant = (name: string, work: () => Promise<unknown>): Contestant => ({
    name,
    run: (operations) => inFlight(options.inFlight, operations, work),
  });
  const query = ({ name, text, values }: Statement): QueryConfig => {
    return { text, values: [organizationId, ...values], ...(prepare && { name }) };
  };
  const set = query({ name: 'bench_set', text: "select set_config('app.tenant_id', $1, true)", values: [] });
  const transaction = (opening: readonly QueryConfig[], statements: Several) => () =>
    onClient(pools.plain, async (client) => {
      await client.query('BEGIN');
      for (const config of [...opening, ...statements().map(query)]) await client.query(config);
      await client.query('COMMIT');
    });
  const interactive = (statements: Several) => contestant('raw', transaction([set], statements));
  return {
    lanes: {
      statement: (statement) => contestant('raw', () => pools.plain.query(query(statement()))),
      batch: (statements) => contestant('raw', transaction([], statements)),
      read: interactive,
      write: interactive,
    },
    pipelined: (statements) =>
      contestant('pipelined', () =>
        onClient(pools.pipelined, (client) => {
          const all = ['BEGIN', ...statements().map(query), 'COMMIT'];
          return Promise.all(all.map((each) => client.query(each as QueryConfig)));
        }),
      ),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([pools.plain.end(), pools.pipelined.end()]);
    },
  };
}
