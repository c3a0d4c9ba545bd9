/** The directory's part of a move, in a file of its own: processes that are started and killed load it without all of libs/testing. */
import { Client } from 'pg';
import type { MoveDirectory, PresentEntry } from '../src';

/** The directory as `stockyard_control` keeps it, on a connection for each call. */
export function directoryOf(controlUrl: string, organizationId: string): MoveDirectory {
  const withControl = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ connectionString: controlUrl });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  return {
    read: () =>
      withControl(async (client) => {
        const { rows } = await client.query<PresentEntry>(
          "select coalesce(shard, 'main') as shard, epoch, state <> 'active' as suspended from organizations where id = $1",
          [organizationId],
        );
        return rows[0]!;
      }),
    replace: (expectedEpoch, next) =>
      withControl(async (client) => {
        const { rowCount } = await client.query(
          'update organizations set shard = $3, epoch = $4 where id = $1 and epoch = $2',
          [organizationId, expectedEpoch, next.shard, next.epoch],
        );
        return rowCount === 1;
      }),
  };
}
