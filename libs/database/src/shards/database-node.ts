/** One Postgres server of a shard: its pools, what is known of it, and what is to end when it is found dead. */
import type { Pool } from 'pg';
import type { Flight } from '../lanes/flight';
import { openNodePool, type NodePoolOptions, type ServingRole } from './node-pool';
import { NodeState, type ProbeAnswer } from './node-state';

export type NodeOptions = Omit<NodePoolOptions, 'role'> & {
  /** `host:port`, for metrics and messages. */
  readonly name: string;
  /** Whether it may become the primary: named in the shard's URL. */
  readonly candidate: boolean;
};

const PROBE = `select pg_is_in_recovery() as standby,
  case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end::text as lsn,
  case when pg_is_in_recovery() then null else left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) end as timeline`;
/**
 * A standby cannot say on which timeline it replays; but it has the row of each that its log has come to (TimelineRecord), and
 * one that went another way than the primary lacks the primary's.
 */
const REPLAYED_TIMELINE = 'select max(timeline) as timeline from timelines';
/** Nobody listens there, or the server says that it takes nobody: that needs no second opinion. */
const REFUSED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', '57P03']);
const LOST = new Set([...REFUSED, 'ECONNRESET', 'EPIPE', '57P01', '57P02']);

/** True where the server itself says that it takes nobody. */
export function isRefusal(error: unknown): boolean {
  return REFUSED.has(((error ?? {}) as { code?: string }).code ?? '');
}

/** True for errors that a connection dies of. A full pool is none. */
export function isConnectionLoss(error: unknown): boolean {
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  return (
    LOST.has(code) || code.startsWith('08') || /Connection terminated|not queryable|Client was closed/.test(message)
  );
}

export class DatabaseNode {
  readonly state = new NodeState();
  /** Flights and transactions under way; the router prefers the node with the fewest. */
  outstanding = 0;
  private readonly reads = new Set<Flight>();
  private readonly onDeath = new Set<(error: Error) => void>();
  private readonly pools = new Map<ServingRole, Pool>();

  constructor(private readonly options: NodeOptions) {}

  get name(): string {
    return this.options.name;
  }

  /** One host, without a role of ours. */
  get url(): string {
    return this.options.url;
  }

  get isCandidate(): boolean {
    return this.options.candidate;
  }

  pool(role: ServingRole): Pool {
    const known = this.pools.get(role);
    if (known) return known;
    const made = openNodePool({ ...this.options, role });
    this.pools.set(role, made);
    return made;
  }

  /** The pools that have been used. */
  openPools(): ReadonlyMap<ServingRole, Pool> {
    return this.pools;
  }

  /** Asks for role and position. Rejects after a time of silence, or with what the connection says. */
  async probe(): Promise<ProbeAnswer> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      // After a look at the sockets: a process that was busy itself finds the answer there.
      const late = () => setImmediate(() => reject(new Error('The probe was not answered.')));
      timer = setTimeout(late, this.state.patienceMs);
    });
    const answer = this.ask();
    answer.catch(() => undefined); // told once, by the race
    try {
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads can be done elsewhere: when the node is found dead they are ended at once instead of waiting for it. */
  trackRead(flight: Flight): void {
    this.reads.add(flight);
  }

  /** It has been answered, or ended. */
  forgetRead(flight: Flight): void {
    this.reads.delete(flight);
  }

  /** As `work`, or rejects when the node is found dead before; what comes after that is handed to `late`. */
  untilDead<T>(work: Promise<T>, late: (value: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (error: Error) => reject(error);
      this.onDeath.add(end);
      work.then(
        (value) => (this.onDeath.delete(end) ? resolve(value) : late(value)),
        (error: unknown) => {
          this.onDeath.delete(end);
          end(error as Error);
        },
      );
    });
  }

  /** It was refused, or did not answer a probe. True if that opened the breaker; then what waits for it has been ended. */
  failed(error: unknown): boolean {
    if (!this.state.failed(isRefusal(error))) return false;
    const dead = new Error('Connection terminated: the node was found dead');
    const ends = [...this.onDeath];
    this.onDeath.clear();
    for (const end of ends) end(dead);
    for (const flight of this.reads) flight.abort(dead);
    return true;
  }

  async close(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.end()));
  }

  private async ask(): Promise<ProbeAnswer> {
    const monitor = this.pool('monitor');
    const answer = (await monitor.query<ProbeAnswer>(PROBE)).rows[0]!;
    if (!answer.standby) return answer;
    const { timeline } = (await monitor.query<Pick<ProbeAnswer, 'timeline'>>(REPLAYED_TIMELINE)).rows[0]!;
    return { ...answer, timeline };
  }
}
