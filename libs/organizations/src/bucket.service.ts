/**
 * Which shard new organizations of a bucket go to. Nobody moves by it: whoever lives in a bucket that is given to another
 * shard is pinned to where it is, in the same transaction.
 */
import { Inject, Injectable } from '@nestjs/common';
import { CONTROL_POOL, type PrimaryPool, Shards } from '#libs/database';
import { StockyardError } from '#libs/kernel';

/** Buckets `from` to `to`, both included, 0–1023. */
export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

export interface BucketAssignment {
  /** Buckets that had been another shard's. */
  readonly reassigned: number;
  /** Organizations that were pinned to where they live. */
  readonly pinned: number;
}

// A statement of its own, so that the next one sees who was being made in these buckets until now (HOLD_BUCKET).
const LOCK = 'select from shard_buckets where bucket between $1 and $2 order by bucket for update';
const ASSIGN = `
  with before as materialized (
    select bucket, shard from shard_buckets where bucket between $1 and $2 and shard <> $3),
  pinned as (
    update organizations o set shard = b.shard, version = o.version + 1, updated_at = now()
    from before b where o.shard_key = b.bucket and o.shard is null returning o.id),
  reassigned as (
    update shard_buckets s set shard = $3 from before b where s.bucket = b.bucket returning s.bucket)
  select (select count(*)::integer from reassigned) as reassigned, (select count(*)::integer from pinned) as pinned`;

function invalidRange(): StockyardError {
  return new StockyardError({
    code: 'invalid_range',
    category: 'invalid',
    param: 'to',
    message: 'A range of buckets ends where it begins or later; send a greater `to`.',
  });
}

@Injectable()
export class BucketService {
  constructor(
    private readonly shards: Shards,
    @Inject(CONTROL_POOL) private readonly directory: PrimaryPool,
  ) {}

  /** Throws `invalid_range` (400), `unknown_shard` and `shard_in_other_region` (422). */
  async assign({ from, to }: BucketRange, shard: string): Promise<BucketAssignment> {
    if (to < from) throw invalidRange();
    this.shards.get(shard);
    return this.directory.transaction(async (client) => {
      await client.query(LOCK, [from, to]);
      return (await client.query<BucketAssignment>(ASSIGN, [from, to, shard])).rows[0]!;
    });
  }
}
