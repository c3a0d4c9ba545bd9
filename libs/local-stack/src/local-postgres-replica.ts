// A streaming replica of a local primary: made, started again with its data, or rebuilt when that is of no use.
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { takeBaseBackup } from './base-backup';
import { preferPort } from './free-port';
import { LocalPostgres, removeServerData, temporaryDataDirectory } from './local-postgres';
import { endLeftBehind } from './pid-record';
import { SUPERUSER } from './postgres-client';
import type { PostgresProcessOptions } from './postgres-process';
import { connectionString } from './postgres-settings';
import { reachableDirectory } from './reachable-place';
import { dropSlot, isStreaming, recreateSlot, slotState } from './replication-slot';
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

const STREAMING_TIMEOUT_MS = 10_000;

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

/** As its primary, and: replay can be paused. `start` resolves when the replica streams. */
export class LocalPostgresReplica extends LocalPostgres {
  constructor(
    private readonly primary: LocalPostgres,
    /** Name of its replication slot and of its connection to the primary. */
    readonly slot: string,
    private readonly notice: Notice,
    options: PostgresProcessOptions,
  ) {
    super(options);
  }

  /** Starts with the kept data; makes a new copy of the primary when there is none or it cannot follow any more. */
  override async start(): Promise<void> {
    if (this.running) return;
    const made = existsSync(join(this.dataDir, 'PG_VERSION'));
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
    if (!/^[a-z0-9_]{1,63}$/.test(this.slot))
      throw new ServerError(`"${this.slot}" is no name for a replication slot.`);
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

  private async whyUseless(): Promise<string | undefined> {
    if (!existsSync(join(this.dataDir, 'standby.signal'))) return 'it was promoted, or never complete';
    const [row] = await this.primary.query<{ id: string }>(
      'SELECT system_identifier::text AS id FROM pg_control_system()',
    );
    if (row?.id !== systemIdentifier(this.dataDir)) return 'it belongs to another primary';
    const slot = await slotState(this.primary.address, this.slot);
    return slot === 'missing' ? 'the primary no longer keeps the log it would need' : undefined;
  }
}

// src/include/catalog/pg_control.h: the control file begins with the system identifier, in the machine's byte order.
function systemIdentifier(dataDir: string): string | undefined {
  const file = join(dataDir, 'global', 'pg_control');
  if (!existsSync(file)) return undefined;
  const bytes = new BigUint64Array(1);
  const fd = openSync(file, 'r');
  try {
    readSync(fd, new Uint8Array(bytes.buffer));
  } finally {
    closeSync(fd);
  }
  return String(BigInt.asIntN(64, bytes[0] ?? 0n));
}
