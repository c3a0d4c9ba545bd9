/** Buckets that are given to another shard while a tenant of theirs is made known or changes its place. */
import type { INestApplicationContext } from '@nestjs/common';
import { CONTROL_POOL, type PrimaryPool, Shards } from '#libs/database';
import { newId } from '#libs/kernel';
import { BucketService } from '#libs/organizations';
import { shardKeyOf } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { Client } from 'pg';
import { contents, fullTenant } from '../../test/full-tenant';
import { ended, lifecycleUnderTest } from '../../test/lifecycle-under-test';
import { OperationService } from '../operation/operation.service';
import { OrganizationRecords } from './organization-records';

describe('A bucket that is given away', () => {
  let env: TestEnvironment;
  let app: INestApplicationContext;
  let records: OrganizationRecords;
  let buckets: BucketService;
  /** Holds others up by its locks. */
  let holder: Client;

  beforeAll(async () => {
    env = await createTestEnvironment({ OPERATION_LEASE_MS: '2000' }, { shards: 2 });
    app = await lifecycleUnderTest(env.config);
    records = app.get(OrganizationRecords);
    buckets = new BucketService(app.get(Shards), app.get<PrimaryPool>(CONTROL_POOL));
    holder = new Client({ connectionString: env.adminUrl });
    await holder.connect();
  });
  afterAll(async () => {
    await holder.end();
    await app.close();
    await env.dispose();
  });
  afterEach(async () => {
    await holder.query('rollback');
    await env.query("update shard_buckets set shard = 'main'");
  });

  const give = (id: string, shard = 'two') => buckets.assign({ from: shardKeyOf(id), to: shardKeyOf(id) }, shard);
  const livesAt = async (id: string) => {
    const { shard } = (await records.find(id))!;
    const [{ pin } = { pin: null }] = await env.query<{ pin: string | null }>(
      'select shard as pin from organizations where id = $1',
      [id],
    );
    return { shard, pin };
  };
  const waitsForLock = (statement: string) =>
    waitFor(
      async () =>
        (
          await env.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ilike $1`,
            [`%${statement}%`],
          )
        ).length > 0,
      { what: `${statement} to wait` },
    );

  it('leaves a tenant that is being imported where its rows are', async () => {
    const operations = app.get(OperationService);
    const tenant = await fullTenant(env);
    const before = await contents(env, tenant);
    const exported = await ended(app, await operations.request(tenant.id, { kind: 'export' }, newId()));
    const { stream } = await operations.archive(exported.id);
    const archive = Buffer.concat((await stream.toArray()) as Buffer[]);
    await ended(app, await operations.request(tenant.id, { kind: 'delete' }, newId()));

    await holder.query('begin; lock table products in exclusive mode');
    const operation = await operations.import({ content: onePart(archive), requestId: newId() });
    await waitFor(async () => (await operations.get(operation.id)).step === 'load', { what: 'the import to load' });
    await give(tenant.id);
    await holder.query('rollback');
    expect(await ended(app, operation)).toMatchObject({ state: 'completed', result: { shard: 'main' } });
    expect(await livesAt(tenant.id)).toEqual({ shard: 'main', pin: 'main' });
    expect(await contents(env, tenant)).toEqual(before);
  });

  it('is given away before or after a tenant appears in it, and strands it neither way', async () => {
    const organization = (id: string) => ({
      ...{ id, slug: `s-${id}`, name: 'n', tier: 'free', region: 'default', state: 'active', epoch: 4, version: 1 },
      ...{ created_at: new Date().toISOString(), limits: { max_users: 3 } },
    });
    const [late, early] = [newId(), newId()];
    // Appears while the bucket is being given away.
    await holder.query('begin');
    await holder.query("update shard_buckets set shard = 'two' where bucket = $1", [shardKeyOf(late)]);
    const appearing = records.insert(organization(late) as never, 'main');
    await waitsForLock('insert into organizations');
    await holder.query('commit');
    await appearing;
    expect(await livesAt(late)).toEqual({ shard: 'main', pin: 'main' });
    // The bucket is given away while it appears.
    await holder.query('begin; lock table tenant_limits in exclusive mode');
    const first = records.insert(organization(early) as never, 'main');
    await waitsForLock('insert into tenant_limits');
    const giving = give(early);
    await waitsForLock('from shard_buckets where bucket between');
    await holder.query('rollback');
    await first;
    expect(await giving).toEqual({ reassigned: 1, pinned: 1 });
    expect(await livesAt(early)).toEqual({ shard: 'main', pin: 'main' });
  });

  it.each([
    ['flips to the shard that gets it', 'two', 'two'],
    ['flips to the shard that had it', 'main', 'main'],
    ['takes its fence back on the shard that had it', 'main', 'two'],
  ])('strands no tenant whose move %s meanwhile', async (_, to, gets) => {
    const from = gets === to ? (to === 'two' ? 'main' : 'two') : to;
    const { id } = await createOrganization(env, from === 'two' ? { shard: 'two' } : {});
    if (gets === 'main') await env.query("update shard_buckets set shard = 'two' where bucket = $1", [shardKeyOf(id)]);
    if (from === 'two') await env.query('update organizations set shard = null where id = $1', [id]);
    // The assignment has the bucket and waits for the tenant's row; the move waits for the bucket.
    await holder.query('begin');
    await holder.query('select from organizations where id = $1 for update', [id]);
    const giving = give(id, gets);
    await waitsForLock('with before as materialized');
    const replacing = records.placement(id).replace(1, { shard: to, epoch: 3 });
    await waitsForLock('update organizations o set epoch');
    await holder.query('rollback');
    await Promise.all([giving, replacing]);
    expect(await replacing).toBe(true);
    expect((await records.placement(id).read()).shard).toBe(to);
    await give(id, to === 'two' ? 'main' : 'two');
    expect((await records.placement(id).read()).shard).toBe(to);
  });
});

async function* onePart(all: Buffer): AsyncGenerator<Buffer> {
  yield all;
}
