// A streaming replica of a local primary: made, started again with its data, rebuilt when that is of no use, promoted.
import { takeBaseBackup } from './base-backup';
import { isMade, isStandby, systemIdentifier } from './data-directory';
import { preferPort } from './free-port';
import { LocalPostgres, removeServerData, temporaryDataDirectory } from './local-postgres';
import { endLeftBehind } from './pid-record';
import { SUPERUSER } from './postgres-client';
import type { PostgresProcessOptions } from './postgres-process';
import { connectionString } from './postgres-settings';
import { reachableDirectory } from './reachable-place';
import { dropSlot, ensureSlot, isStreaming, recreateSlot, slotState } from './replication-slot';
import { ServerError } from './server-error';
import { unprivilegedUser, type Notice } from './unprivileged-user';
import { waitFor } from './wait-for';

export interface LocalReplicaOptions {
  /** Tells replicas of one primary apart; also the name of its slot: a-z, 0-9 and underscores. Default "replica". */
  readonly name?: string;
  readonly dataDir?: string;
  readonly port?: number;
  readonly throwaway?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  readonly logFile?: string;
  readonly notice?: Notice;
}

const STREAMING_TIMEOUT_MS = 20_000;

/** Starts a replica of `primary`, which must run. Rejects with a ServerError. */
export async function startLocalReplica(
  primary: LocalPostgres,
  options: LocalReplicaOptions = {},
): Promise<LocalPostgresReplica> {
  const notice = options.notice ?? (() => undefined);
  const user = unprivilegedUser(notice);
  const dataDir = reachableDirectory(options.dataDir ?? temporaryDataDirectory(), user, notice);
  await endLeftBehind(`${dataDir}.pid.json`, 'SIGINT'); // it may hold the wanted port
  const replica = new LocalPostgresReplica(primary, options.name ?? 'replica', notice, {
    name: 'Postgres replica',
    binaries: primary.binaries,
    dataDir,
    port: await preferPort(options.port),
    password: primary.address.password,
    user,
    logFile: options.logFile ?? `${dataDir}.log`,
    throwaway: options.throwaway ?? false,
    settings: options.settings ?? {},
  });
  try {
    await replica.start();
  } catch (error) {
    await replica.stop();
    if (options.dataDir === undefined) await removeServerData(dataDir);
    throw error;
  }
  return replica;
}

/**
 * Brings an old primary back behind the one that was promoted in its place: stops it and makes its data anew, on the same
 * port and directory. The old object must not be used any more, only the answered one.
 */
export async function rejoinAsReplica(
  old: LocalPostgres,
  primary: LocalPostgres,
  options: Pick<LocalReplicaOptions, 'name' | 'notice'> = {},
): Promise<LocalPostgresReplica> {
  await old.stop();
  const { dataDir, port, logFile, throwaway, settings } = old.options;
  return startLocalReplica(primary, { dataDir, port, logFile, throwaway, settings, ...options });
}

/**
 * As its primary, and: replay can be paused. `start` resolves when the replica streams.
 * States beside running and stopped: following → promoted (`promote`) → following (`follow`).
 */
export class LocalPostgresReplica extends LocalPostgres {
  private promoted = false;

  constructor(
    private primary: LocalPostgres,
    /** Name of its replication slot and of its connection to the primary. */
    readonly slot: string,
    private readonly notice: Notice,
    options: PostgresProcessOptions,
  ) {
    super(options);
  }

  /** Starts with the kept data, a promoted one as the primary that it is; makes a new copy of the primary when there is none or it cannot follow any more. */
  override async start(): Promise<void> {
    if (this.running) return;
    if (this.promoted) return super.start();
    const made = isMade(this.dataDir);
    const useless = made ? await this.whyUseless() : undefined;
    if (useless !== undefined) this.notice(`The replica is made anew: ${useless}`);
    if (!made || useless !== undefined) await this.rebuild();
    try {
      await this.startStreaming();
    } catch (error) {
      if (!made || useless !== undefined) throw error;
      this.notice('The replica is made anew: it could not follow the primary with the data it had');
      await this.stop();
      await this.rebuild();
      await this.startStreaming();
    }
  }

  /** Stops replaying: the replica keeps receiving, answers from where it is, and lags from now on. */
  async pauseReplay(): Promise<void> {
    await this.query('SELECT pg_wal_replay_pause()');
    await waitFor(
      async () =>
        (await this.query<{ state: string }>('SELECT pg_get_wal_replay_pause_state() AS state'))[0]?.state === 'paused',
      { what: 'replay to pause', intervalMs: 10 },
    );
  }

  async resumeReplay(): Promise<void> {
    await this.query('SELECT pg_wal_replay_resume()');
  }

  /** Resolves when everything that the primary had written at the time of the call is visible here. */
  async caughtUp(timeoutMs = 10_000): Promise<void> {
    const [written] = await this.primary.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    const replayed = 'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done';
    await waitFor(async () => (await this.query<{ done: boolean }>(replayed, [written?.lsn]))[0]?.done, {
      what: 'the replica to catch up',
      timeoutMs,
      intervalMs: 10,
    });
  }

  /** Makes it a primary on a new timeline. Resolves when it takes writes. Its old primary is left as it is. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote(wait => false)');
    const recovered = 'SELECT 1 WHERE NOT pg_is_in_recovery()';
    await waitFor(async () => (await this.query(recovered)).length, { what: 'the promotion', intervalMs: 10 });
    this.promoted = true;
  }

  /** Follows another primary from now on, with the data it has where that is possible. Restarts the server. */
  async follow(primary: LocalPostgres): Promise<void> {
    await this.stop();
    this.primary = primary;
    this.promoted = false;
    this.requireSlotName();
    await ensureSlot(primary.address, this.slot);
    await this.start();
  }

  /** Stops the replica, deletes its data, and its slot when the primary runs. */
  override async remove(): Promise<void> {
    await super.remove();
    if (this.primary.running) await dropSlot(this.primary.address, this.slot);
  }

  private async startStreaming(): Promise<void> {
    await this.startProcess({
      primary_slot_name: this.slot,
      primary_conninfo: connectionString({
        host: '127.0.0.1',
        port: String(this.primary.port),
        user: SUPERUSER,
        password: this.options.password,
        application_name: this.slot,
        sslmode: 'disable',
        gssencmode: 'disable',
      }),
    });
    const streams = () => isStreaming(this.primary.address, this.slot);
    await waitFor(streams, { what: 'the replica to stream from its primary', timeoutMs: STREAMING_TIMEOUT_MS });
  }

  private async rebuild(): Promise<void> {
    this.requireSlotName();
    await recreateSlot(this.primary.address, this.slot);
    const { binaries, dataDir, password, user } = this.options;
    await takeBaseBackup({
      binaries,
      dataDir,
      password,
      user,
      slot: this.slot,
      primaryPort: this.primary.port,
      primaryDataDir: this.primary.dataDir,
    });
  }

  private requireSlotName(): void {
    if (/^[a-z0-9_]{1,63}$/.test(this.slot)) return;
    throw new ServerError(`"${this.slot}" is no name for a replication slot.`);
  }

  private async whyUseless(): Promise<string | undefined> {
    if (!isStandby(this.dataDir)) return 'it was a primary, or never complete';
    const [row] = await this.primary.query<{ id: string }>(
      'SELECT system_identifier::text AS id FROM pg_control_system()',
    );
    if (row?.id !== systemIdentifier(this.dataDir)) return 'it belongs to another primary';
    const slot = await slotState(this.primary.address, this.slot);
    return slot === 'missing' ? 'the primary no longer keeps the log it would need' : undefined;
  }
}
