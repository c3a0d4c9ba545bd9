// Gives every shard of a new stack its part of the tenants.
import { Client } from 'pg';
import type { Servers } from './servers';

/** Spreads the buckets evenly as long as the directory knows no organization; afterwards it is the operators' business. */
export async function spreadBuckets({ shards: [home, ...others] }: Servers): Promise<void> {
  if (others.length === 0) return;
  const client = new Client({ connectionString: home.databaseUrl });
  await client.connect();
  try {
    await client.query(
      `update shard_buckets set shard = ($1::text[])[1 + bucket % cardinality($1::text[])]
        where not exists (select from organizations)`,
      [[home, ...others].map(({ name }) => name)],
    );
  } finally {
    await client.end();
  }
}
