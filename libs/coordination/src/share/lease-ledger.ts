/** Leases in Redis: exchanges by script, many in one pipeline, and the hints by which processes wake each other. */
import { join } from 'node:path';
import { newId } from '#libs/kernel';
import { LuaScript, type RedisClient, redisListener } from '#libs/redis';
import type { Redis } from 'ioredis';
import { hintsChannel, leasesKey, processesKey } from '../coordination-keys';
import { LEASE_MS, type LeaseReply, type LeaseRequest, TURN_MS } from './lease';

type ExchangeReply = readonly [leased: number, allowance: number, pressed: 0 | 1, known: 0 | 1];

const EXCHANGE = LuaScript.fromFile<ExchangeReply>(join(__dirname, 'exchange.lua'), 1);
const PROCESSES = LuaScript.fromFile<readonly [processes: number, known: 0 | 1]>(join(__dirname, 'processes.lua'), 1);

export interface Attendance {
  readonly processes: number;
  readonly known: boolean;
  /** Until when Redis knows of this process without another word. */
  readonly endsAt: number;
}

export type HintHandler = (organizationId: string, allowance: number) => void;

export class LeaseLedger {
  /** What this process is called there. */
  readonly process = newId();
  private listener: Redis | undefined;

  constructor(
    private readonly redis: RedisClient,
    private readonly of: { readonly prefix: string; readonly name: string },
  ) {}

  get open(): boolean {
    return this.redis.status !== 'end';
  }

  /** Replies in order. Rejects when any failed; then it is not known which were executed. */
  async exchange(requests: readonly LeaseRequest[]): Promise<LeaseReply[]> {
    const endsAt = performance.now() + LEASE_MS;
    const hints = hintsChannel(this.of.prefix, this.of.name, '');
    const calls = requests.map(({ organizationId, held, demand, wanted, limit }) => {
      const numbers = [held, demand, wanted, limit, LEASE_MS, TURN_MS];
      return [leasesKey(this.of.prefix, this.of.name, organizationId), this.process, ...numbers, hints, organizationId];
    });
    const replies = await EXCHANGE.runAll(this.redis, calls);
    return replies.map(([leased, allowance, pressed, known]) => ({
      leased,
      allowance,
      pressed: pressed === 1,
      known: known === 1,
      endsAt,
    }));
  }

  /** Says that this process is there; answers how many are, and whether Redis still knew of this one. */
  async attend(): Promise<Attendance> {
    const endsAt = performance.now() + LEASE_MS;
    const [processes, known] = await PROCESSES.run(this.redis, [
      processesKey(this.of.prefix, this.of.name),
      this.process,
      LEASE_MS,
    ]);
    return { processes, known: known === 1, endsAt };
  }

  async takeLeave(): Promise<void> {
    await PROCESSES.run(this.redis, [processesKey(this.of.prefix, this.of.name), this.process, 0]);
  }

  /** Listens on a connection of its own. A hint that is lost costs time only: who waits asks again by itself. */
  listen(handle: HintHandler): void {
    const listener = redisListener(this.redis);
    this.listener = listener;
    listener.on('error', () => undefined); // the client that it was made from tells
    listener.on(
      'ready',
      () => void listener.subscribe(hintsChannel(this.of.prefix, this.of.name, this.process)).catch(() => undefined),
    );
    listener.on('message', (_channel, message) => {
      const [organizationId = '', allowance] = message.split(' ');
      handle(organizationId, Number(allowance));
    });
  }

  close(): void {
    this.listener?.disconnect();
  }
}
