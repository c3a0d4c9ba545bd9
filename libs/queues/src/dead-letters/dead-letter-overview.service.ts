/** Whose dead letters lie where, for operators. */
import { Injectable } from '@nestjs/common';
import { ShardFanOut, Shards } from '#libs/database';

export interface DeadLetterHolder {
  readonly shard: string;
  readonly organization_id: string;
  readonly type: string;
  readonly letters: number;
  /** When the oldest of them failed. */
  readonly oldest: Date;
}

export interface DeadLetterOverview {
  readonly holders: readonly DeadLetterHolder[];
  /** Shards that did not answer in time. */
  readonly missing: readonly string[];
}

const HOLDERS = 'select organization_id, type, letters::integer, oldest from dead_letter_holders($1)';

@Injectable()
export class DeadLetterOverviewService {
  constructor(
    private readonly shards: Shards,
    private readonly fanOut: ShardFanOut,
  ) {}

  /** Of each shard the `most` tenants and types whose oldest letter is oldest. Never rejects for a shard that is away. */
  async overview(most: number): Promise<DeadLetterOverview> {
    const { answers, missing } = await this.fanOut.ask(async ({ name }) => {
      const pool = this.shards.pool(name, 'control');
      return (await pool.query<Omit<DeadLetterHolder, 'shard'>>(HOLDERS, [most])).rows;
    });
    const holders = answers.flatMap(({ shard, value }) => value.map((holder) => ({ shard, ...holder })));
    return { holders: holders.sort((a, b) => a.oldest.getTime() - b.oldest.getTime()), missing };
  }
}
