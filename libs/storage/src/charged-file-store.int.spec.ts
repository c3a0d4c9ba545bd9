/** Files within the limit of their tenant: exact while many arrive at once, and put right after a crash. */
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { TenancyModule } from '#libs/tenancy';
import {
  asTenant,
  createOrganization,
  createTestEnvironment,
  ObjectStore,
  type TestEnvironment,
  type TestOrganization,
} from '#libs/testing';
import { FileStore, StorageModule } from '.';

const KIB = 1_024;
const LIMIT = 10 * KIB;

async function* bytes(length: number): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < length; sent += KIB) yield Buffer.alloc(Math.min(KIB, length - sent));
}

describe('the store of files', () => {
  let env: TestEnvironment;
  let app: TestingModule;
  let files: FileStore;
  let tenant: TestOrganization;

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(env.config),
        TenancyModule,
        DatabaseModule.forRoot({ config: env.config, applicationName: 'spec' }),
        StorageModule,
      ],
    }).compile();
    await app.init();
    files = app.get(FileStore);
  });

  beforeEach(async () => {
    tenant = await createOrganization(env);
    await env.query('insert into tenant_limits (organization_id, max_storage_bytes) values ($1, $2)', [
      tenant.id,
      LIMIT,
    ]);
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  const as = <T>(work: () => Promise<T>): Promise<T> => asTenant(app, tenant, work);
  const put = (key: string, length: number, uncharged = false) =>
    as(() => files.put(key, bytes(length), { maxBytes: 100 * KIB, uncharged }));
  const ledger = async () =>
    (
      await env.query<{ key: string; bytes: string }>(
        'select key, bytes from stored_files where organization_id = $1 order by key',
        [tenant.id],
      )
    ).map((row) => [row.key, Number(row.bytes)]);
  const level = async () => {
    const [row] = await env.query<{ value: string }>(
      `select value from tenant_usage where organization_id = $1 and metric = 'bytes_stored' order by period_start desc`,
      [tenant.id],
    );
    return row && Number(row.value);
  };
  const place = (key: string) => join(env.config.STORAGE_DIR, tenant.id, key);
  const refusal = (inUse: object) =>
    expect.objectContaining({
      code: 'limit_exceeded',
      category: 'forbidden',
      details: { limit: 'max_storage_bytes', maximum: LIMIT, ...inUse },
    }) as unknown;

  it('counts files as they come, are replaced and go', async () => {
    await put('a.csv', 3 * KIB);
    await put('imports/b.csv', 2 * KIB);
    expect(await level()).toBe(5 * KIB);
    await put('a.csv', KIB);
    expect(await ledger()).toEqual([
      ['a.csv', KIB],
      ['imports/b.csv', 2 * KIB],
    ]);
    expect(await level()).toBe(3 * KIB);
    await as(() => files.delete('a.csv'));
    await as(() => files.delete('imports/b.csv'));
    expect([await ledger(), await level()]).toEqual([[], 0]);
  });

  it('takes a file to the last byte of the limit, and refuses one byte more without keeping any of it', async () => {
    await put('a.csv', LIMIT - 1);
    await put('b.csv', 1);
    await expect(put('c.csv', 1)).rejects.toEqual(refusal({ in_use: LIMIT }));
    await as(() => files.delete('b.csv'));
    await expect(put('c.csv', 2)).rejects.toEqual(refusal({ in_use: LIMIT - 1 }));
    expect(readdirSync(join(env.config.STORAGE_DIR, tenant.id))).toEqual(['a.csv']);
    expect(await ledger()).toEqual([['a.csv', LIMIT - 1]]);
  });

  it('reads no further than the room that is left', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        read += KIB;
        yield Buffer.alloc(KIB);
      }
    }
    const endlessPut = as(() => files.put('a.csv', endless(), { maxBytes: Number.MAX_SAFE_INTEGER }));
    await expect(endlessPut).rejects.toEqual(refusal({ in_use: 0 }));
    expect(read).toBe(LIMIT + KIB);
  });

  it('lets no more files in than fit, of many that arrive at once', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 24 }, (_, index) => put(`f${index}.csv`, 3 * KIB)));
    const stored = attempts.filter(({ status }) => status === 'fulfilled');
    expect(stored).toHaveLength(3);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'limit_exceeded' });
    }
    expect(await ledger()).toHaveLength(3);
    expect(readdirSync(join(env.config.STORAGE_DIR, tenant.id))).toHaveLength(3);
    expect(await level()).toBe(9 * KIB);
  });

  it('keeps nothing of a file that could not be recorded', async () => {
    await env.query("alter table stored_files add constraint spec check (key <> 'a.csv') not valid");
    await expect(put('a.csv', KIB)).rejects.toMatchObject({ code: '23514' });
    await env.query('alter table stored_files drop constraint spec');
    expect(existsSync(place('a.csv'))).toBe(false);
    expect(await ledger()).toEqual([]);
  });

  it('charges nobody for archives of operators and for what is restored', async () => {
    await put('operations/1/archive.tar', 50 * KIB);
    await put('exports/x.csv', 50 * KIB, true);
    expect([await ledger(), await level()]).toEqual([[], undefined]);
    await as(() => files.delete('operations/1/archive.tar'));
  });

  it('brings the ledger in line with what is there, leaving alone what is under way', async () => {
    await put('kept.csv', KIB);
    await put('lost.csv', KIB);
    await as(() => files.deleteAll());
    const old = new Date(Date.now() - 2 * 3_600_000);
    await put('kept.csv', KIB);
    for (const [key, length] of [
      ['crashed.csv', 2 * KIB],
      ['fresh.csv', KIB],
    ] as const) {
      writeFileSync(place(key), Buffer.alloc(length));
    }
    utimesSync(place('crashed.csv'), old, old);
    await as(() => files.removeAbandoned(3_600_000));
    expect(await ledger()).toEqual([
      ['crashed.csv', 2 * KIB],
      ['kept.csv', KIB],
      ['lost.csv', KIB],
    ]);
    await env.query('update stored_files set stored_at = $2 where organization_id = $1', [tenant.id, old]);
    await as(() => files.removeAbandoned(3_600_000));
    expect(await ledger()).toEqual([
      ['crashed.csv', 2 * KIB],
      ['kept.csv', KIB],
    ]);
    expect(await level()).toBe(3 * KIB);
  });
});

describe('the store of files in a bucket', () => {
  let env: TestEnvironment;
  const bucket = new ObjectStore();

  const storageOf = (variables: Record<string, string>) => {
    const config = loadConfig({ ...env.variables, ...variables });
    const database = DatabaseModule.forRoot({ config, applicationName: 'spec' });
    return Test.createTestingModule({
      imports: [ConfigModule.forRoot(config), TenancyModule, database, StorageModule],
    }).compile();
  };

  beforeAll(async () => {
    env = await createTestEnvironment();
    await bucket.start();
  });
  afterAll(async () => {
    await bucket.stop();
    await env.dispose();
  });

  it('is taken where one is configured, within the same limits', async () => {
    const app = await storageOf(bucket.variables());
    await app.init();
    const tenant = await createOrganization(env);
    await env.query('insert into tenant_limits (organization_id, max_storage_bytes) values ($1, $2)', [
      tenant.id,
      LIMIT,
    ]);
    const files = app.get(FileStore);
    await asTenant(app, tenant, () => files.put('a.csv', bytes(LIMIT), { maxBytes: 100 * KIB }));
    const second = asTenant(app, tenant, () => files.put('b.csv', bytes(1), { maxBytes: 100 * KIB }));
    await expect(second).rejects.toMatchObject({ code: 'limit_exceeded' });
    expect(bucket.bucket.list(`${tenant.id}/`).map(({ key }) => key)).toEqual([`${tenant.id}/a.csv`]);
    expect(existsSync(join(env.config.STORAGE_DIR, tenant.id))).toBe(false);
    await app.close();
  });

  it('ends the boot of a process with the wrong credentials', async () => {
    const app = await storageOf({ ...bucket.variables(), STORAGE_S3_SECRET_ACCESS_KEY: 'another-secret' });
    await expect(app.init()).rejects.toThrow(/^The object store refuses the credentials/);
    await app.close();
  });
});
