/** Connections: stock that is pulled from outside systems, page by page. */
export { type Connection, CONNECTION_STATES } from './connection';
export {
  CONNECTION,
  type ConnectionChange,
  connectionView,
  type ConnectionView,
  CREATE_CONNECTION,
  type NewConnection,
  UPDATE_CONNECTION,
} from './connection.schema';
export { ConnectionService } from './connection.service';
export { ConnectionsModule, ConnectionsWorkerModule } from './connections.module';
export { CONNECTION_JOBS, INVENTORY_SYNC, type SyncOutcome, type SyncResult } from './sync/sync.job';
export { SyncService } from './sync/sync.service';
