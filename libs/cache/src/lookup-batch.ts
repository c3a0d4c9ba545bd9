/**
 * Lookups that are asked for in the same turn of the event loop, sent in one write: under load most of what a lookup costs is the
 * system call that sends it. In a cluster each goes on its own, as the tenants' keys live on several nodes.
 */
import type { RedisClient } from '#libs/redis';

/** Values of the keys, and with `withLife` the milliseconds that the first of them has left. */
export interface Looked {
  readonly values: readonly (Buffer | null)[];
  readonly leftMs: number;
}

interface Lookup {
  readonly keys: readonly string[];
  readonly withLife: boolean;
  resolve(looked: Looked): void;
  reject(error: Error): void;
}

export class LookupBatch {
  private waiting: Lookup[] = [];

  constructor(private readonly redis: RedisClient) {}

  look(keys: readonly string[], withLife: boolean): Promise<Looked> {
    return new Promise((resolve, reject) => {
      if (this.waiting.push({ keys, withLife, resolve, reject }) === 1) process.nextTick(() => this.send());
    });
  }

  private send(): void {
    const lookups = this.waiting;
    this.waiting = [];
    if (lookups.length === 1 || this.redis.isCluster) for (const lookup of lookups) void this.sendAlone(lookup);
    else void this.sendTogether(lookups);
  }

  private async sendAlone({ keys, withLife, resolve, reject }: Lookup): Promise<void> {
    try {
      const life = withLife ? this.redis.pttl(keys[0]!) : Infinity;
      const [values, leftMs] = await Promise.all([this.redis.mgetBuffer(...keys), life]);
      resolve({ values, leftMs });
    } catch (error) {
      reject(error as Error);
    }
  }

  private async sendTogether(lookups: readonly Lookup[]): Promise<void> {
    const pipeline = this.redis.pipeline();
    for (const { keys, withLife } of lookups) {
      pipeline.mgetBuffer(...keys);
      if (withLife) pipeline.pttl(keys[0]!);
    }
    try {
      const replies = (await pipeline.exec()) ?? [];
      let next = 0;
      for (const { withLife, resolve, reject } of lookups) {
        const [failure, values] = replies[next++]!;
        const [lifeFailure, leftMs] = withLife ? replies[next++]! : [null, Infinity];
        if (failure ?? lifeFailure) reject((failure ?? lifeFailure)!);
        else resolve({ values: values as (Buffer | null)[], leftMs: leftMs as number });
      }
    } catch (error) {
      for (const { reject } of lookups) reject(error as Error);
    }
  }
}
