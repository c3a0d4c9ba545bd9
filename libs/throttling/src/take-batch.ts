/**
 * Requests that are made in the same turn of the event loop, sent as one call of take.lua: under load most of what a request costs
 * are the command and its answer, not the counting. A call takes no more than `MOST_IN_A_CALL` requests, so that Redis is never held up for
 * long; a turn that has more begins another call at once. In a Redis Cluster those whose keys share a slot are sent together, such
 * as those of one tenant.
 */
import { join } from 'node:path';
import { keySlot, LuaScript, type RedisClient } from '#libs/redis';
import type { Check, Measure, Policy, Verdict } from './policy';

export const MOST_IN_A_CALL = 32;
/** Admitted, then used and reset of each check, request by request. */
type Reply = readonly number[];

const TAKE = LuaScript.fromFile<Reply>(join(__dirname, 'take.lua'));
const FIRST_SHAPE = 'A'.charCodeAt(0);
const SIXTIETHS = 60;

/** Until a counter that nobody writes any more is gone: those that count by sixtieths of a window begin with part of one. */
export function lifeMs({ window, windowMs }: Pick<Policy, 'window' | 'windowMs'>): number {
  return window === 'sliding' || window === 'bucket' ? windowMs + Math.ceil(windowMs / SIXTIETHS) : windowMs;
}

interface Request {
  readonly checks: readonly Check[];
  resolve(verdict: Verdict): void;
  reject(error: unknown): void;
}

export class TakeBatch {
  /** By slot, in the order in which they came; one entry at most where there is one server. */
  private waiting = new Map<number, Request[]>();

  constructor(private readonly redis: RedisClient) {}

  /** Rejects when Redis does not answer, and with it all requests that were sent together. */
  take(checks: readonly Check[]): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      const slot = this.redis.isCluster ? keySlot(checks[0]!.key) : 0;
      const requests = this.waiting.get(slot);
      if (!requests) {
        if (this.waiting.size === 0) setImmediate(this.sendAll);
        this.waiting.set(slot, [{ checks, resolve, reject }]);
      } else if (requests.push({ checks, resolve, reject }) === MOST_IN_A_CALL) {
        this.waiting.delete(slot);
        void this.send(requests);
      }
    });
  }

  /** After what has come in during this turn. */
  private readonly sendAll = (): void => {
    const { waiting } = this;
    this.waiting = new Map();
    for (const requests of waiting.values()) void this.send(requests);
  };

  private async send(requests: readonly Request[]): Promise<void> {
    try {
      const { keys, args } = callFor(requests);
      const reply = await TAKE.runOn(this.redis, keys, args);
      let at = 0;
      for (const { checks, resolve } of requests) {
        resolve(verdictAt(reply, at, checks));
        at += 1 + 2 * checks.length;
      }
    } catch (error) {
      for (const { reject } of requests) reject(error);
    }
  }
}

/** What take.lua is called with. Requests of the same policies and limits, as most are, say them once. */
function callFor(requests: readonly Request[]): { keys: string[]; args: (string | number)[] } {
  const keys: string[] = [];
  const args: (string | number)[] = [''];
  const shapes: (readonly Check[])[] = [];
  let shapeOfEach = '';
  for (const { checks } of requests) {
    for (const { key } of checks) keys.push(key);
    let shape = shapes.findIndex((known) => isSameShape(known, checks));
    if (shape === -1) {
      shape = shapes.push(checks) - 1;
      args.push(checks.length);
      for (const { policy, limit } of checks) args.push(policy.window, limit, policy.windowMs, lifeMs(policy));
    }
    shapeOfEach += String.fromCharCode(FIRST_SHAPE + shape);
  }
  args[0] = shapeOfEach;
  return { keys, args };
}

function isSameShape(one: readonly Check[], other: readonly Check[]): boolean {
  return one.length === other.length && one.every((check, index) => isSameTerm(check, other[index]!));
}

function isSameTerm(one: Check, other: Check): boolean {
  const [a, b] = [one.policy, other.policy];
  return one.limit === other.limit && a.window === b.window && a.windowMs === b.windowMs;
}

function verdictAt(reply: Reply, at: number, checks: readonly Check[]): Verdict {
  const measures = checks.map((check, index): Measure => ({
    check,
    used: reply[at + 1 + 2 * index]!,
    resetMs: reply[at + 2 + 2 * index]!,
  }));
  return { admitted: reply[at] === 1, measures, by: 'redis' };
}
