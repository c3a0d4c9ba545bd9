/**
 * A replication connection that decodes one slot (PostgreSQL manual, 55.4 "Streaming Replication Protocol"). Messages are
 * pulled; the socket pauses while too many wait. What is confirmed is only what the caller says is applied, since
 * the server forgets it then.
 */
import { type Client, escapeIdentifier } from 'pg';
import { connectMover } from '../connection';
import { formatLsn } from './lsn';
import { type LogMessage, PgOutputDecoder } from './pgoutput';

/** Messages that may wait before the socket pauses. */
const QUEUE_MESSAGES = 5_000;
/** A server drops who has been silent for a minute (wal_sender_timeout). */
const STATUS_MS = 10_000;
const MS_FROM_1970_TO_2000 = 946_684_800_000;

/** What node-postgres does of the replication protocol: CopyBoth opens, and data goes in both directions. */
interface ReplicationConnection {
  readonly stream: { pause(): void; resume(): void };
  on(event: 'copyData', listener: (message: { readonly chunk: Buffer }) => void): void;
  once(event: 'replicationStart', listener: () => void): void;
  sendCopyFromChunk(chunk: Buffer): void;
}

export interface LogReaderOptions {
  readonly slot: string;
  readonly publication: string;
  /** Transactions that ended at or before this position are left out. */
  readonly from: bigint;
}

export class LogReader {
  private readonly decoder = new PgOutputDecoder();
  private readonly connection: ReplicationConnection;
  private readonly statusTimer: NodeJS.Timeout;
  private queue: LogMessage[] = [];
  private failure: Error | undefined;
  private wake: (() => void) | undefined;
  private confirmed: bigint;
  private serverEnd = 0n;
  private paused = false;

  private constructor(
    private readonly client: Client,
    options: LogReaderOptions,
  ) {
    this.connection = (client as unknown as { connection: ReplicationConnection }).connection;
    this.confirmed = options.from;
    this.statusTimer = setInterval(() => this.sendStatus(), STATUS_MS).unref();
    this.connection.on('copyData', ({ chunk }) => this.take(chunk));
    const fail = (error: Error) => {
      this.failure ??= error;
      this.wake?.();
    };
    client.on('error', fail);
    client.on('end', () => fail(new Error('The source ended the connection that reads its log.')));
  }

  static async open(url: string, options: LogReaderOptions): Promise<LogReader> {
    const client = await connectMover(url, { replication: true });
    const reader = new LogReader(client, options);
    const started = new Promise<void>((resolve) => reader.connection.once('replicationStart', resolve));
    const streaming = client.query(
      `START_REPLICATION SLOT ${escapeIdentifier(options.slot)} LOGICAL ${formatLsn(options.from)}
       (proto_version '1', publication_names ${client.escapeLiteral(escapeIdentifier(options.publication))}, messages 'true')`,
    );
    const refused = streaming.then(() => Promise.reject(new Error('The source ended its log.')));
    refused.catch((error: unknown) => {
      reader.failure ??= error as Error;
      reader.wake?.();
    });
    try {
      await Promise.race([started, refused]);
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  /** The end of the source's log as it was last heard of. */
  get end(): bigint {
    return this.serverEnd;
  }

  /** True while messages wait that have arrived already. */
  get hasMore(): boolean {
    return this.queue.length > 0;
  }

  /** The next message; undefined after `timeoutMs` or {@link interrupt} without one. Rejects once the connection is lost. */
  async next(timeoutMs: number): Promise<LogMessage | undefined> {
    if (this.queue.length === 0 && !this.failure) await this.wait(timeoutMs);
    const message = this.queue.shift();
    if (message === undefined && this.failure) throw this.failure;
    if (this.paused && this.queue.length < QUEUE_MESSAGES / 2) {
      this.paused = false;
      this.connection.stream.resume();
    }
    return message;
  }

  /** Gives a message back: it is the next one again. */
  putBack(message: LogMessage): void {
    this.queue.unshift(message);
  }

  interrupt(): void {
    this.wake?.();
  }

  /** Everything that ended before `lsn` is applied and committed; the server need not keep it. */
  confirm(lsn: bigint): void {
    if (lsn > this.confirmed) this.confirmed = lsn;
  }

  async close(): Promise<void> {
    clearInterval(this.statusTimer);
    this.failure ??= new Error('The move was closed.');
    this.wake?.();
    if (this.paused) this.connection.stream.resume();
    await this.client.end();
  }

  private async wait(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
    this.wake = undefined;
  }

  private take(chunk: Buffer): void {
    try {
      const tag = String.fromCharCode(chunk[0]!);
      if (tag === 'w') this.enqueue(chunk);
      else if (tag === 'k') this.keepAlive(chunk);
    } catch (error) {
      this.failure ??= error as Error;
      this.wake?.();
    }
  }

  /** XLogData: position, end of the log, clock, then the plugin's message. */
  private enqueue(chunk: Buffer): void {
    this.serverEnd = chunk.readBigUInt64BE(9);
    const message = this.decoder.decode(chunk.subarray(25));
    if (message) this.push(message);
  }

  private push(message: LogMessage): void {
    this.queue.push(message);
    if (!this.paused && this.queue.length >= QUEUE_MESSAGES) {
      this.paused = true;
      this.connection.stream.pause();
    }
    this.wake?.();
  }

  /** Primary keepalive: end of the log, clock, and whether an answer is wanted at once. */
  private keepAlive(chunk: Buffer): void {
    this.serverEnd = chunk.readBigUInt64BE(1);
    if (chunk[17] === 1) this.sendStatus();
    if (this.queue.at(-1)?.kind !== 'alive') this.push({ kind: 'alive', end: this.serverEnd });
  }

  /** Standby status update: written, flushed and applied are one here. */
  private sendStatus(): void {
    const status = Buffer.alloc(34);
    status.write('r', 0, 'latin1');
    for (const at of [1, 9, 17]) status.writeBigUInt64BE(this.confirmed, at);
    status.writeBigInt64BE(BigInt(Date.now() - MS_FROM_1970_TO_2000) * 1000n, 25);
    this.connection.sendCopyFromChunk(status);
  }
}
