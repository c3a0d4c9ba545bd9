/**
 * How far each replica is behind. Each is asked itself, since its position is no secret, while `pg_stat_replication` on the
 * primary shows it only to members of pg_monitor, and a serving role is a member of nothing.
 */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, roleUrl } from '#libs/config';
import { DATABASE_TYPES } from '#libs/database';
import type { ReplicaState } from '#libs/messaging';
import { Pool } from 'pg';

const PATIENCE_MS = 1_000;
const POSITION = 'select pg_current_wal_flush_lsn()::text as position';
const LAG = `
  select greatest(pg_wal_lsn_diff($1::pg_lsn, pg_last_wal_replay_lsn()), 0)::bigint as lag_bytes,
    (extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint as age_ms`;

interface Lag {
  readonly lag_bytes: number | null;
  readonly age_ms: number | null;
}

@Injectable()
export class ReplicaLagRepository implements OnApplicationShutdown {
  private readonly primary: Pool;
  private readonly replicas: readonly Pool[];

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    const pool = (url: string): Pool => {
      const made = new Pool({
        connectionString: roleUrl(config, 'monitor', url),
        max: 1,
        connectionTimeoutMillis: PATIENCE_MS,
        query_timeout: PATIENCE_MS,
        application_name: 'stockyard-metrics-monitor',
        types: DATABASE_TYPES,
      });
      made.on('error', () => undefined); // an idle connection that broke is replaced at the next use
      return made;
    };
    this.primary = pool(config.shards[0]!.hosts[0]!);
    this.replicas = config.shards[0]!.replicas.map(pool);
  }

  /** Never rejects: a replica that does not answer is not reachable. */
  async states(): Promise<ReplicaState[]> {
    const position = await this.position();
    return Promise.all(this.replicas.map((replica, index) => this.state(replica, `replica-${index + 1}`, position)));
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.primary, ...this.replicas].map((pool) => pool.end()));
  }

  /** Null while the primary does not answer: then nobody knows how far behind a replica is. */
  private async position(): Promise<string | null> {
    try {
      return (await this.primary.query<{ position: string }>(POSITION)).rows[0]!.position;
    } catch {
      return null;
    }
  }

  private async state(replica: Pool, name: string, position: string | null): Promise<ReplicaState> {
    try {
      const { lag_bytes, age_ms } = (await replica.query<Lag>(LAG, [position])).rows[0]!;
      // The age of the newest commit is a lag only where there is something left to replay.
      const lag_ms = lag_bytes === 0 ? 0 : age_ms === null ? null : Math.max(0, age_ms);
      return { name, reachable: true, lag_bytes, lag_ms };
    } catch {
      return { name, reachable: false, lag_bytes: null, lag_ms: null };
    }
  }
}
