/** Asks every shard the same at once and says which of them did not answer, instead of failing or pretending. */
import { Injectable, Logger } from '@nestjs/common';
import { inTime } from '#libs/kernel';
import type { Shard } from './shard';
import { Shards } from './shards.service';

export interface FanOut<T> {
  readonly answers: readonly { readonly shard: string; readonly value: T }[];
  /** Names of the shards that failed or took longer than they may. */
  readonly missing: readonly string[];
}

/** Longest wait for one shard. */
const PATIENCE_MS = 2_000;

@Injectable()
export class ShardFanOut {
  private readonly logger = new Logger('ShardFanOut');

  constructor(private readonly shards: Shards) {}

  /** Never rejects. Answers stand in the order of the configuration, the home shard's first. */
  async ask<T>(question: (shard: Shard) => Promise<T>, patienceMs = PATIENCE_MS): Promise<FanOut<T>> {
    const shards = this.shards.all();
    const asked = await Promise.allSettled(shards.map((shard) => inTime(question(shard), patienceMs)));
    const answers: { shard: string; value: T }[] = [];
    const missing: string[] = [];
    asked.forEach((outcome, index) => {
      const { name } = shards[index]!;
      if (outcome.status === 'fulfilled') answers.push({ shard: name, value: outcome.value });
      else {
        missing.push(name);
        this.logger.debug({ shard: name, err: outcome.reason as unknown }, 'A shard did not answer.');
      }
    });
    return { answers, missing };
  }
}
