/** As the global setup, on the oldest supported Postgres and a native Redis; fails first where a program is missing. */
import globalSetup from './global-setup';
import { OLDEST_POSTGRES, requirePrograms } from './required-programs';

export default async function topologySetup(): Promise<void> {
  requirePrograms();
  process.env.STOCKYARD_PG_BIN = OLDEST_POSTGRES;
  await globalSetup();
}
