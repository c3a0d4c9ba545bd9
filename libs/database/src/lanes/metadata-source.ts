/**
 * TypeORM's DataSource as a source of metadata and query runners only: it never connects. Connections come from the
 * pools of the nodes, because TypeORM's own replication lets one dead replica stop the boot and knows neither lag nor roles.
 */
import { DataSource, type DataSourceOptions } from 'typeorm';

/** What TypeORM asks while it initialises. Version 15 is the oldest that is supported. */
const ANSWERS: readonly { readonly asks: RegExp; readonly row: Readonly<Record<string, string>> }[] = [
  { asks: /version\(\)/i, row: { version: 'PostgreSQL 15.0' } },
  { asks: /current_database\(\)/i, row: { current_database: 'stockyard' } },
  { asks: /current_schema\(\)/i, row: { current_schema: 'public' } },
];

type Connected = (error: undefined, client: object, release: () => void) => void;

const stand = {
  query(text: string) {
    const answer = ANSWERS.find(({ asks }) => asks.test(text));
    if (!answer) return Promise.reject(new Error('Connections come from the pools of the nodes, not from TypeORM.'));
    return Promise.resolve({ rows: [answer.row], rowCount: 1, command: 'SELECT' });
  },
  on: () => stand,
  removeListener: () => stand,
};

/** Stands where TypeORM expects pg. */
class PoolWithoutServer {
  on(): this {
    return this;
  }

  connect(callback: Connected): void {
    callback(undefined, stand, () => undefined);
  }

  end(callback: () => void): void {
    callback();
  }
}

/** Rejects where the entities contradict each other. */
export function metadataSource(entities: NonNullable<DataSourceOptions['entities']>): Promise<DataSource> {
  return new DataSource({
    type: 'postgres',
    driver: { Pool: PoolWithoutServer },
    entities,
    synchronize: false,
    logging: false,
    installExtensions: false,
  }).initialize();
}
