/** Every migration, oldest first. Append only. How to write one: docs/operations/migrations.md. */
import type { MigrationClass } from '#libs/database';
import { Foundation1764000000000 } from './1764000000000-foundation';
import { Identity1764000001000 } from './1764000001000-identity';
import { Stock1764000002000 } from './1764000002000-stock';
import { Orders1764000003000 } from './1764000003000-orders';
import { Jobs1764000004000 } from './1764000004000-jobs';
import { Ledgers1764000005000 } from './1764000005000-ledgers';
import { Places1764000006000 } from './1764000006000-places';
import { UsageAndLimits1764000007000 } from './1764000007000-usage-and-limits';
import { Operations1764000008000 } from './1764000008000-operations';
import { Moves1764000009000 } from './1764000009000-moves';
import { Timelines1764000010000 } from './1764000010000-timelines';
import { ShorterEntry1764000011000 } from './1764000011000-shorter-entry';
import { JobQueue1764000012000 } from './1764000012000-job-queue';
import { JobKeys1764000013000 } from './1764000013000-job-keys';
import { DeadLetters1764000014000 } from './1764000014000-dead-letters';
import { Schedules1764000015000 } from './1764000015000-schedules';
import { JobLog1764000016000 } from './1764000016000-job-log';
import { Connections1764000017000 } from './1764000017000-connections';
import { StockAlerts1764000018000 } from './1764000018000-stock-alerts';
import { OutboxOrder1764000019000 } from './1764000019000-outbox-order';
import { OutboxWaiting1764000019001 } from './1764000019001-outbox-waiting';
import { CacheBudget1764000020000 } from './1764000020000-cache-budget';
import { JobRoom1764000026000 } from './1764000026000-job-room';
import { ConcurrentRequests1764000027000 } from './1764000027000-concurrent-requests';
import { ClusterFigures1764000028000 } from './1764000028000-cluster-figures';
import { OutboxTraceparent1764000029000 } from './1764000029000-outbox-traceparent';
import { Rollups1764000030000 } from './1764000030000-rollups';
import { Dashboard1764000031000 } from './1764000031000-dashboard';
import { ActivityOfAll1764000031001 } from './1764000031001-activity-of-all';
import { Regions1764000032000 } from './1764000032000-regions';

export const MIGRATIONS = [
  Foundation1764000000000,
  Identity1764000001000,
  Stock1764000002000,
  Orders1764000003000,
  Jobs1764000004000,
  Ledgers1764000005000,
  Places1764000006000,
  UsageAndLimits1764000007000,
  Operations1764000008000,
  Moves1764000009000,
  Timelines1764000010000,
  ShorterEntry1764000011000,
  JobQueue1764000012000,
  JobKeys1764000013000,
  DeadLetters1764000014000,
  Schedules1764000015000,
  JobLog1764000016000,
  Connections1764000017000,
  StockAlerts1764000018000,
  OutboxOrder1764000019000,
  OutboxWaiting1764000019001,
  CacheBudget1764000020000,
  JobRoom1764000026000,
  ConcurrentRequests1764000027000,
  ClusterFigures1764000028000,
  OutboxTraceparent1764000029000,
  Rollups1764000030000,
  Dashboard1764000031000,
  ActivityOfAll1764000031001,
  Regions1764000032000,
] satisfies readonly MigrationClass[];
