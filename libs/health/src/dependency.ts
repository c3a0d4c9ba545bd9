/** What a process depends on, and how each dependency is asked whether it is there. */
import type { PrimaryPool } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import type { RedisClient } from '#libs/redis';
import { type FileStore, StorageRefusedError } from '#libs/storage';

export const DEPENDENCIES = ['database', 'cache', 'queue', 'storage'] as const;
export type DependencyName = (typeof DEPENDENCIES)[number];

/** Said to the public: no host, no user, no message of a driver. `refused`: it answers, and does not accept this process. */
export type DependencyFault = 'timeout' | 'unreachable' | 'read_only' | 'refused' | 'failed';

export class DependencyError extends Error {
  constructor(
    readonly fault: DependencyFault,
    options?: ErrorOptions,
  ) {
    super(fault, options);
    this.name = 'DependencyError';
  }
}

export interface Dependency {
  readonly name: DependencyName;
  /** Without it nothing works: the process is unhealthy. Without another one it is degraded. */
  readonly vital: boolean;
  /** Rejects when it is not there. */
  check(): Promise<void>;
}

const UNREACHABLE =
  /ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EHOSTUNREACH|terminated|timeout expired|isn't writeable|closed/i;

/** What is said of an error that a driver threw. */
export function faultOf(error: unknown): DependencyFault {
  if (error instanceof DependencyError) return error.fault;
  if (error instanceof StorageRefusedError) return 'refused';
  if (error instanceof StockyardError && error.category === 'unavailable') return 'unreachable';
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (/timed out|^timeout of/i.test(message)) return 'timeout';
  return UNREACHABLE.test(`${code} ${message}`) ? 'unreachable' : 'failed';
}

/** The primary: a server that takes no writes counts as none. */
export function database(pool: PrimaryPool): Dependency {
  const check = async () => {
    const { rows } = await pool.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
    if (rows[0]?.standby !== false) throw new DependencyError('read_only');
  };
  return { name: 'database', vital: true, check };
}

export function redis(name: 'cache' | 'queue', client: RedisClient): Dependency {
  const check = async () => {
    // Otherwise a client that waits for its server would keep every probe of the outage for later.
    if (client.status !== 'ready') throw new DependencyError('unreachable');
    await client.ping();
  };
  return { name, vital: false, check };
}

export function storage(files: FileStore): Dependency {
  return { name: 'storage', vital: false, check: () => files.check() };
}
