/** Export, delete and import of a tenant that has something everywhere, beside one that must not notice. */
import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { FileStore } from '#libs/storage';
import { asTenant, createTestEnvironment, type TestEnvironment, type TestOrganization, waitFor } from '#libs/testing';
import { contents, fillRedis, fullTenant, tenantTableNames, traces } from '../test/full-tenant';
import { ended, lifecycleUnderTest } from '../test/lifecycle-under-test';
import { type Operation, OperationService } from '.';

const refused = (code: string): unknown => expect.objectContaining({ code });

describe('The life of a tenant', () => {
  let env: TestEnvironment;
  let app: INestApplicationContext;
  let operations: OperationService;
  let tenant: TestOrganization;
  let neighbour: TestOrganization;

  beforeAll(async () => {
    env = await createTestEnvironment({ OPERATION_LEASE_MS: '2000' });
    app = await lifecycleUnderTest(env.config);
    operations = app.get(OperationService);
  });
  afterAll(async () => {
    await app.close();
    await env.dispose();
  });
  beforeEach(async () => {
    [tenant, neighbour] = [await fullTenant(env, { products: 1_200 }), await fullTenant(env)];
    for (const one of [tenant, neighbour]) {
      await fillRedis(env, one);
      await putFile(one, 'imports/a.csv', `of ${one.id}`);
      await putFile(one, 'exports/empty.csv', '');
    }
  });

  const putFile = (one: { id: string }, key: string, text: string) =>
    asTenant(app, one, () => app.get(FileStore).put(key, bytes(Buffer.from(text)), { maxBytes: 1e9 }));
  const filesOf = ({ id }: { id: string }): string[] => {
    try {
      const entries = readdirSync(join(env.config.STORAGE_DIR, id), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
        .sort();
    } catch {
      return [];
    }
  };
  const run = async (one: { id: string }, kind: 'export' | 'delete'): Promise<Operation> =>
    ended(app, await operations.request(one.id, { kind }, newId()));
  const archiveOf = async (one: { id: string }): Promise<Buffer> => {
    const { id } = await run(one, 'export');
    const { stream } = await operations.archive(id);
    return Buffer.concat((await stream.toArray()) as Buffer[]);
  };
  const importArchive = (archive: Buffer, slug?: string) =>
    operations.import({ content: bytes(archive), requestId: newId(), slug });
  const organizationRow = async ({ id }: { id: string }) =>
    (await env.query<Record<string, unknown>>('select * from organizations where id = $1', [id]))[0];
  const placeOf = async ({ id }: { id: string }) =>
    (
      await env.query<{ state: string; epoch: number }>('select state, epoch from tenant_places where tenant = $1', [
        id,
      ])
    )[0];

  it('fills every tenant table, so that the rest of this file means what it says', async () => {
    const rows = await contents(env, tenant);
    expect(Object.entries(rows).filter(([, all]) => all.length === 0)).toEqual([]);
    expect(Object.keys(rows)).toEqual(await tenantTableNames(env));
    expect(await traces(env, tenant)).not.toEqual([]);
  });

  it('deletes every row, key, job and file, proves it, and leaves the neighbour alone', async () => {
    const before = { rows: await contents(env, neighbour), redis: (await traces(env, neighbour)).sort() };
    await run(tenant, 'export'); // its archive has to go too
    const { state, result } = await run(tenant, 'delete');
    expect(state).toBe('completed');

    expect(Object.values(await contents(env, tenant)).flat()).toEqual([]);
    expect(await organizationRow(tenant)).toBeUndefined();
    expect(await placeOf(tenant)).toBeUndefined();
    expect(await traces(env, tenant)).toEqual([]);
    expect(filesOf(tenant)).toEqual([]);

    const { deleted, left } = result as { deleted: Record<string, unknown>; left: Record<string, unknown> };
    const tables = (await tenantTableNames(env)).map((name) => `main.${name}`);
    expect(left).toEqual({
      rows: Object.fromEntries(tables.map((name) => [name, 0])),
      places: 0,
      jobs: 0,
      keys: 0,
      files: 0,
    });
    expect(Object.keys(deleted.rows as object).sort()).toEqual(tables);
    expect(deleted).toMatchObject({ jobs: 10, keys: 1_503, files: 3, organizations: 1, places: 1 });

    expect(await contents(env, neighbour)).toEqual(before.rows);
    // Shares of connections come and go with use.
    const lasting = (keys: readonly string[]) => keys.filter((key) => !key.includes(':share:')).sort();
    expect(lasting(await traces(env, neighbour))).toEqual(lasting(before.redis));
    expect(filesOf(neighbour)).toEqual(['a.csv', 'empty.csv']);
  });

  it('ends a deletion although its place is put back before the proof', async () => {
    await env.query(`
      create function put_place_back() returns trigger language plpgsql as $$
      begin
        insert into tenant_places (tenant, epoch, state, tier) values (new.tenant, 1, 'open', 'free');
        return new;
      end $$;
      create trigger put_place_back after update on tenant_operations for each row
        when (new.step = 'prove' and old.step <> 'prove') execute function put_place_back()`);
    try {
      expect(await run(tenant, 'delete')).toMatchObject({ state: 'completed', result: { left: { places: 0 } } });
      expect(await placeOf(tenant)).toBeUndefined();
    } finally {
      await env.query('drop function put_place_back cascade');
    }
  });

  it('restores what it exported, to the byte, under the same ids, with a higher epoch', async () => {
    const before = { rows: await contents(env, tenant), organization: await organizationRow(tenant) };
    const neighbours = await contents(env, neighbour);
    const archive = await archiveOf(tenant);
    const deleted = await run(tenant, 'delete');
    await env.query('drop table stock_movements_202105'); // the target may lack a month
    const { state, result } = await ended(app, await importArchive(archive));
    expect({ state, result }).toMatchObject({
      state: 'completed',
      result: { organization_id: tenant.id, shard: 'main', files: 2 },
    });

    expect(await contents(env, tenant)).toEqual(before.rows);
    const epoch = (deleted.result as { epoch: number }).epoch + 1;
    expect(await organizationRow(tenant)).toEqual({
      ...before.organization,
      epoch,
      updated_at: expect.any(Date) as unknown,
    });
    expect(await placeOf(tenant)).toEqual({ state: 'open', epoch });
    expect(filesOf(tenant)).toEqual(['a.csv', 'empty.csv']);
    // The partition that was dropped held the neighbour's row of that month as well.
    const others = await contents(env, neighbour);
    expect({ ...others, stock_movements: [] }).toEqual({ ...neighbours, stock_movements: [] });
  });

  it('writes an archive that only the platform’s user can read, and nothing else stays of the export', async () => {
    const { id, result } = await run(tenant, 'export');
    expect(filesOf(tenant)).toEqual([`${id}.tgz`, 'a.csv', 'empty.csv'].sort());
    expect(statSync(join(env.config.STORAGE_DIR, tenant.id, `operations/${id}.tgz`)).mode & 0o777).toBe(0o600);
    const { tenant_limits: _, ...archived } = await contents(env, tenant);
    expect(result).toMatchObject({ rows: Object.values(archived).flat().length, files: 2 });
  });

  it('reads one moment although the tenant is written to meanwhile', async () => {
    const writing = new AbortController();
    const writer = (async () => {
      for (let n = 0; !writing.signal.aborted; n += 1) {
        const product = newId();
        await env.query(
          `with p as (insert into products (organization_id, id, sku, name, currency) values ($1, $2, $3, 'n', 'GBP'))
           insert into job_line_errors (organization_id, job_id, line, code, message)
           select organization_id, id, $4, 'c', 'm' from jobs where organization_id = $1`,
          [tenant.id, product, `W-${n}`, n + 2],
        );
      }
    })();
    const archive = await archiveOf(tenant);
    writing.abort();
    await writer;
    await run(tenant, 'delete');
    await ended(app, await importArchive(archive));
    const rows = await contents(env, tenant);
    const written = rows.products!.filter((row) => row.includes('W-')).length;
    expect(rows.job_line_errors).toHaveLength(written + 1); // each writer's transaction is there whole, or not at all
  });

  it('imports under another slug, and refuses what is taken or already here', async () => {
    const archive = await archiveOf(tenant);
    await expect(importArchive(archive)).rejects.toEqual(refused('organization_exists'));
    await run(tenant, 'delete');
    await expect(importArchive(archive, neighbour.slug)).rejects.toEqual(refused('slug_taken'));
    await env.query('update organizations set slug = $2 where id = $1', [neighbour.id, tenant.slug]);
    await expect(importArchive(archive)).rejects.toEqual(refused('slug_taken'));
    const slug = `restored-${newId()}`;
    const { state } = await ended(app, await importArchive(archive, slug));
    expect(state).toBe('completed');
    expect(await organizationRow(tenant)).toMatchObject({ slug });
  });

  it('leaves nothing of an import whose slug is taken while it runs', async () => {
    const archive = await archiveOf(tenant);
    await run(tenant, 'delete');
    const hold = await env.connectAs('owner');
    try {
      // Holds the load up until the slug is taken.
      await hold.query('begin; lock table products in exclusive mode');
      const operation = await importArchive(archive);
      await waitFor(async () => (await operations.get(operation.id)).step === 'load', { what: 'the import to load' });
      await env.query('update organizations set slug = $2 where id = $1', [neighbour.id, tenant.slug]);
      await hold.query('rollback');
      const { state, error } = await ended(app, operation);
      expect({ state, error }).toMatchObject({ state: 'failed', error: { code: 'slug_taken' } });
    } finally {
      await hold.end();
    }
    expect(Object.values(await contents(env, tenant)).flat()).toEqual([]);
    expect(filesOf(tenant)).toEqual([]);
    expect(await placeOf(tenant)).toBeUndefined();
  });

  it('keeps nothing of an upload that breaks off', async () => {
    await putFile(tenant, 'imports/long.csv', randomBytes(500_000).toString('hex'));
    const archive = await archiveOf(tenant);
    await run(tenant, 'delete');
    async function* broken(): AsyncGenerator<Buffer> {
      yield* bytes(archive.subarray(0, -1_000));
      throw new Error('the client went away');
    }
    const upload = operations.import({ content: broken(), requestId: newId() });
    await expect(upload).rejects.toThrow('the client went away');
    const [operation] = await operations.list({ organizationId: tenant.id, limit: 1 });
    expect(await ended(app, operation!)).toMatchObject({ state: 'failed', error: { code: 'upload_failed' } });
    expect(filesOf(tenant)).toEqual([]);
    expect((await ended(app, await importArchive(archive))).state).toBe('completed');
  });

  it('lets one operation of a tenant be open at a time, and none for an unknown one', async () => {
    const requests = Array.from({ length: 8 }, () => operations.request(tenant.id, { kind: 'export' }, newId()));
    const settled = await Promise.allSettled(requests);
    const won = settled.filter((attempt) => attempt.status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const attempt of settled)
      if (attempt.status === 'rejected') expect(attempt.reason).toEqual(refused('operation_in_progress'));
    await ended(app, won[0]!.value);
    await expect(operations.request(newId(), { kind: 'export' }, newId())).rejects.toEqual(refused('not_found'));
  });

  it('checks where a tenant is to be moved before anything happens', async () => {
    const move = (shard: string) => operations.request(tenant.id, { kind: 'move', shard }, newId());
    await expect(move('nowhere')).rejects.toEqual(refused('unknown_shard'));
    await expect(move('main')).rejects.toEqual(refused('already_there'));
    expect((await operations.list({ organizationId: tenant.id, limit: 10 })).length).toBe(0);
  });
});

async function* bytes(all: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < all.length; at += 10_000) yield all.subarray(at, at + 10_000);
}
