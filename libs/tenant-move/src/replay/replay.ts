/**
 * Applies the source's log on the target in commit order. A transaction on the target holds one or more whole transactions of
 * the source and the position after them, so whatever was applied before a crash is left out after it.
 */
import { beginAsTenant, inTenantTransaction } from '#libs/database';
import type { Client } from 'pg';
import type { LogReader } from '../decode/log-reader';
import type { LogMessage } from '../decode/pgoutput';
import type { MovedTable } from '../moved-table';
import type { Arrival } from './arrival';
import { ChangeWriter } from './change-writer';
import { TouchedRows } from './touched-rows';

/** Changes after which a transaction on the target ends although more wait. */
const BATCH_CHANGES = 1_000;
/** Changes of one transaction of the source that are held in memory before they are written. */
const HELD_CHANGES = 20_000;
/** Without changes of the tenant its position is written down this often, so that the source may forget its log. */
const IDLE_POSITION_MS = 2_000;
const WAIT_MS = 500;
/** Prefix of the messages in the log that say "everything before this has arrived". */
export const MARK_PREFIX = 'stockyard_move';

export interface ReplayOptions {
  readonly tenant: string;
  readonly tables: readonly MovedTable[];
  readonly reader: LogReader;
  readonly target: Client;
  readonly arrival: Arrival;
  readonly from: bigint;
}

export class Replay {
  private readonly writer: ChangeWriter;
  private readonly marks = new Set<string>();
  private touched: TouchedRows | undefined;
  private position: bigint;
  private written: bigint;
  private writtenAt = performance.now();
  private open = false;
  private within = false;

  constructor(private readonly options: ReplayOptions) {
    this.position = this.written = options.from;
    this.writer = new ChangeWriter(options.target, options.tables, (table, key) => this.touched?.add(table, key));
  }

  /** Bytes of the source's log, as far as it has been heard of, that are not applied. */
  get lagBytes(): number {
    const { end } = this.options.reader;
    return end > this.position ? Number(end - this.position) : 0;
  }

  /** Rows that changed since {@link trackTouched}; undefined before. */
  get touchedRows(): TouchedRows | undefined {
    return this.touched;
  }

  trackTouched(): void {
    this.touched = new TouchedRows();
  }

  /** Applies up to a mark. False where `giveUpAt` (of performance.now()) came first. */
  untilMark(mark: string, giveUpAt = Infinity): Promise<boolean> {
    return this.pump(() => this.marks.has(mark), giveUpAt);
  }

  /** Applies all transactions that committed before `lsn` and none that did at or after it; one of the latter must be coming. */
  async untilBefore(lsn: bigint): Promise<void> {
    let reached = false;
    await this.pump(
      () => reached,
      Infinity,
      (message) => (reached = message.kind === 'begin' && message.commitLsn >= lsn),
    );
  }

  /** Applies for as long as `work` takes. */
  async during<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
      this.options.reader.interrupt();
    };
    work.then(settle, settle);
    await this.pump(() => settled, Infinity);
    return work;
  }

  close(): Promise<void> {
    return this.options.reader.close();
  }

  /** Always ends between two transactions of the source, with everything committed on the target. */
  private async pump(
    done: () => boolean,
    giveUpAt: number,
    holds: (message: LogMessage) => boolean = () => false,
  ): Promise<boolean> {
    const { reader } = this.options;
    try {
      while (this.within || !done()) {
        const leftMs = giveUpAt - performance.now();
        if (leftMs <= 0 && !this.within) break;
        const message = await reader.next(Math.min(WAIT_MS, Math.max(1, leftMs)));
        if (!message) await this.idle();
        else if (holds(message)) reader.putBack(message);
        else await this.apply(message);
      }
      await this.commit();
      return done();
    } catch (error) {
      this.writer.forget();
      await this.options.target.query('rollback').catch(() => undefined);
      await reader.close();
      throw error;
    }
  }

  private async apply(message: LogMessage): Promise<void> {
    switch (message.kind) {
      case 'begin':
        this.within = true;
        return;
      case 'mark':
        if (message.prefix === MARK_PREFIX) this.marks.add(message.content);
        return;
      case 'alive':
        if (!this.within && message.end > this.position) this.position = message.end;
        return this.idle();
      case 'commit':
        this.within = false;
        this.position = message.endLsn;
        if (this.writer.waiting >= BATCH_CHANGES || !this.options.reader.hasMore) await this.commit();
        return;
      default:
        if (!this.open) await beginAsTenant(this.options.target, this.options.tenant);
        this.open = true;
        this.writer.add(message);
        if (this.writer.waiting >= HELD_CHANGES) await this.writer.flush();
    }
  }

  private async commit(): Promise<void> {
    if (!this.open) return;
    await this.writer.flush();
    await this.options.arrival.reach(this.position);
    const { command } = await this.options.target.query('commit');
    if (command !== 'COMMIT')
      throw new Error('A transaction on the target was rolled back although no error was raised.');
    this.open = false;
    this.keep();
  }

  private async idle(): Promise<void> {
    if (this.within || this.options.reader.hasMore) return;
    await this.commit();
    if (this.position === this.written || performance.now() - this.writtenAt < IDLE_POSITION_MS) return;
    await inTenantTransaction(this.options.target, this.options.tenant, () =>
      this.options.arrival.reach(this.position),
    );
    this.keep();
  }

  private keep(): void {
    this.written = this.position;
    this.writtenAt = performance.now();
    this.options.reader.confirm(this.written);
  }
}
