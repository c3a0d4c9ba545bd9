/** What the steps of one process share: connections to both sides, the replay that goes on between steps, the pause. */
import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { connectMover, cutOff } from './connection';
import { LogReader } from './decode/log-reader';
import { requireSameTables, type MovedTable, readMovedTables } from './moved-table';
import type { TenantMoveOptions } from './move.options';
import type { MoveProgress } from './move.state';
import { Pause } from './pause';
import { Arrival } from './replay/arrival';
import { MARK_PREFIX, Replay } from './replay/replay';
import { freeSlot, moveName, slotHolds } from './slot';

export type ResolvedOptions = Required<Omit<TenantMoveOptions, 'announce' | 'report'>> &
  Pick<TenantMoveOptions, 'announce' | 'report'>;

type Side = 'source' | 'target';

export class MoveContext {
  readonly tenant: string;
  /** Name of the slot and of the publication. */
  readonly name: string;
  replay: Replay | undefined;
  /** Of performance.now(): two pauses in a row would be one long one to those who wait. */
  restUntil = 0;
  private readonly run = randomUUID();
  private readonly clients = new Map<Side, Promise<Client>>();
  private moved: readonly MovedTable[] | undefined;
  private current: Pause | undefined;
  private isClosed = false;

  constructor(readonly options: ResolvedOptions) {
    this.tenant = options.organizationId;
    this.name = moveName(options.organizationId);
  }

  /** While writes are fenced by this process. */
  get pause(): Pause | undefined {
    return this.current;
  }

  /** From here on writes wait. */
  beginPause(): Pause {
    return (this.current ??= new Pause(this.options.maxPauseMs));
  }

  /** From here on the pause waits for the target, which may be silent: after the longest pause it is cut off. */
  watchTarget(pause: Pause): void {
    pause.watch(() => void this.cutOffTarget().catch(() => undefined));
  }

  endPause(): void {
    if (this.current) this.restUntil = performance.now() + this.options.maxPauseMs;
    this.current?.end();
    this.current = undefined;
  }

  report(progress: MoveProgress): void {
    this.options.report?.(progress);
  }

  source(): Promise<Client> {
    return this.client('source');
  }

  target(): Promise<Client> {
    return this.client('target');
  }

  /** A connection beside the shared ones; the caller ends it. */
  async connect(side: Side): Promise<Client> {
    return connectMover(await this.options[side].moverUrl());
  }

  async arrival(): Promise<Arrival> {
    return new Arrival(await this.target(), this.tenant, this.run);
  }

  /** The tables that go with the tenant, parents first; both sides have the same. */
  async tables(): Promise<readonly MovedTable[]> {
    if (this.moved) return this.moved;
    const [source, target] = await Promise.all([this.source(), this.target()]);
    const [left, right] = await Promise.all([readMovedTables(source), readMovedTables(target)]);
    requireSameTables(left, right);
    return (this.moved = right);
  }

  /** Takes the move over and goes on reading the log; undefined where the log does not hold what the target misses. */
  async openReplay(): Promise<Replay | undefined> {
    if (this.replay) return this.replay;
    const [source, target, tables, arrival] = await Promise.all([
      this.source(),
      this.target(),
      this.tables(),
      this.arrival(),
    ]);
    await arrival.takeOver({ anew: false });
    await freeSlot(source, this.name);
    const from = await arrival.position();
    if (from === undefined || !(await slotHolds(source, this.name, from))) return undefined;
    const url = await this.options.source.moverUrl();
    const reader = await LogReader.open(url, { slot: this.name, publication: this.name, from });
    return (this.replay = new Replay({ tenant: this.tenant, tables, reader, target, arrival, from }));
  }

  /** Writes a mark into the source's log and says which. */
  async mark(): Promise<string> {
    const mark = randomUUID();
    await (await this.source()).query('select pg_logical_emit_message(true, $1, $2)', [MARK_PREFIX, mark]);
    return mark;
  }

  async announce(): Promise<void> {
    try {
      await this.options.announce?.();
    } catch {
      // A hint: whoever missed it is refused by the place and reads the directory.
    }
  }

  async closeReplay(): Promise<void> {
    const replay = this.replay;
    this.replay = undefined;
    await replay?.close();
  }

  /** Whoever uses a connection afterwards is refused. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.endPause();
    await this.closeReplay();
    const clients = [...this.clients.values()];
    this.clients.clear();
    await Promise.allSettled(clients.map(async (client) => (await client).end()));
  }

  private async cutOffTarget(): Promise<void> {
    const target = this.clients.get('target');
    this.clients.delete('target');
    await this.closeReplay();
    if (target) cutOff(await target);
  }

  private client(side: Side): Promise<Client> {
    const known = this.clients.get(side);
    if (this.isClosed) return Promise.reject(new Error('The move was closed.'));
    if (known) return known;
    const connecting = this.connect(side);
    const forget = () => {
      if (this.clients.get(side) === connecting) this.clients.delete(side);
    };
    connecting.then((client) => client.once('end', forget), forget);
    this.clients.set(side, connecting);
    return connecting;
  }
}
