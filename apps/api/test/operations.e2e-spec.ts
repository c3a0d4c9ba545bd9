/** Operations on organizations over HTTP: an api and a worker beside each other. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip, gzipSync } from 'node:zlib';
import type { INestApplicationContext } from '@nestjs/common';
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { createTestEnvironment, freePort, type TestEnvironment, waitFor } from '#libs/testing';
import { extract, pack } from 'tar-stream';
import { createWorker } from '../../worker/src/create-worker';
import {
  type Answer,
  call,
  createTenant,
  type RunningApi,
  startApi,
  stockedProduct,
  type Tenant,
} from './support/api-fixture';

interface OperationBody {
  readonly id: string;
  readonly state: string;
  readonly error: { readonly code: string } | null;
  readonly result: Record<string, unknown> | null;
}

const UPLOAD_LIMIT = 1_000_000;

describe('/v1/admin operations', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: INestApplicationContext;
  let tenant: Tenant;

  beforeAll(async () => {
    env = await createTestEnvironment({ UPLOAD_LIMIT_BYTES: String(UPLOAD_LIMIT) });
    api = await startApi(env);
    worker = await createWorker(loadConfig({ ...env.variables, WORKER_PORT: String(await freePort()) }));
  });
  afterAll(async () => {
    await api.stop();
    await worker.close();
    await env.dispose();
  });
  beforeEach(async () => {
    tenant = await createTenant(api, env);
    await stockedProduct(api, tenant, 5);
  });

  const authorization = () => ({ authorization: `Bearer ${env.config.ADMIN_TOKEN}` });
  const admin = (method: string, path: string, body?: unknown): Promise<Answer> =>
    call(api, method, `/v1/admin${path}`, { headers: authorization(), body });
  const ended = async (queued: Answer): Promise<OperationBody> => {
    expect(queued.status).toBe(202);
    const { id } = queued.body as OperationBody;
    const probe = async () => {
      const { body } = await admin('GET', `/operations/${id}`);
      return (body as { finished_at: string | null }).finished_at ? (body as OperationBody) : undefined;
    };
    return waitFor(probe, { what: 'the operation to end', timeoutMs: 30_000 });
  };
  const operate = async (one: Tenant, body: unknown) =>
    ended(await admin('POST', `/organizations/${one.id}/operations`, body));
  const upload = async (bytes: Buffer, contentType = 'application/gzip', query = ''): Promise<Answer> => {
    const response = await fetch(`${api.url}/v1/admin/imports${query}`, {
      method: 'POST',
      headers: { ...authorization(), 'content-type': contentType },
      body: new Uint8Array(bytes),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const archiveOf = async (one: Tenant): Promise<Buffer> => {
    const { id } = await operate(one, { kind: 'export' });
    const response = await fetch(`${api.url}/v1/admin/operations/${id}/archive`, { headers: authorization() });
    expect(response.headers.get('content-type')).toBe('application/gzip');
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${one.id}.tar.gz"`);
    return Buffer.from(await response.arrayBuffer());
  };
  const rowsOf = async ({ id }: { id: string }) =>
    env.query(
      'select (select count(*) from products where organization_id = $1)::int as products, (select count(*) from tenant_places where tenant = $1)::int as places',
      [id],
    );

  it('keeps a suspended organization suspended through export, delete and import', async () => {
    await admin('PATCH', `/organizations/${tenant.id}`, { state: 'suspended' });
    const archive = await archiveOf(tenant);
    expect(await operate(tenant, { kind: 'delete' })).toMatchObject({ state: 'completed' });
    expect((await admin('GET', `/organizations/${tenant.id}`)).status).toBe(404);
    const slug = `again-${newId()}`;
    expect(await ended(await upload(archive, undefined, `?slug=${slug}`))).toMatchObject({
      state: 'completed',
      result: { organization_id: tenant.id, slug },
    });
    expect((await admin('GET', `/organizations/${tenant.id}`)).body).toMatchObject({ state: 'suspended', slug });
    const refused = await tenant.call(api, 'POST', '/v1/products', {
      body: { sku: 'X', name: 'X', price_minor: 1, currency: 'GBP' },
    });
    expect(refused.body).toMatchObject({ code: 'organization_not_active' });
  });

  it('refuses an archive with a row of another organization, and changes nothing', async () => {
    const archive = await archiveOf(tenant);
    await operate(tenant, { kind: 'delete' });
    const foreign = await forged(archive, 'tables/products.ndjson', (text) => text.replaceAll(tenant.id, newId()));
    expect(await ended(await upload(foreign))).toMatchObject({ state: 'failed', error: { code: 'archive_foreign' } });
    expect(await rowsOf(tenant)).toEqual([{ products: 0, places: 0 }]);
    const other = await forged(archive, 'manifest.json', (text) =>
      text.replace(/"schema": "[^"]+"/, '"schema": "Older1"'),
    );
    expect(await ended(await upload(other))).toMatchObject({
      state: 'failed',
      error: { code: 'archive_incompatible' },
    });
    expect(await ended(await upload(archive))).toMatchObject({ state: 'completed' });
    expect(await rowsOf(tenant)).toEqual([{ products: 1, places: 1 }]);
  });

  it('answers an upload at once when its manifest cannot be read, and keeps nothing of it', async () => {
    const archive = await archiveOf(tenant);
    expect(await upload(archive)).toMatchObject({ status: 409, body: { code: 'organization_exists' } });
    expect(await upload(Buffer.from('no archive'))).toMatchObject({
      status: 422,
      body: { code: 'archive_damaged', file: 'manifest.json' },
    });
    expect(await upload(gzipSync('no archive'))).toMatchObject({ status: 422, body: { code: 'archive_damaged' } });
    expect(await upload(Buffer.alloc(UPLOAD_LIMIT + 1))).toMatchObject({
      status: 413,
      body: { code: 'file_too_large' },
    });
    for (const type of ['text/csv', 'application/octet-stream']) expect((await upload(archive, type)).status).toBe(415);
    const { body } = await admin('GET', `/operations?organization_id=${tenant.id}`);
    expect((body as { data: OperationBody[] }).data).toHaveLength(1); // the export
  });

  it('lists operations by page, and tells what speaks against a second one', async () => {
    const first = await operate(tenant, { kind: 'export' });
    const second = await operate(tenant, { kind: 'export' });
    const page = await admin('GET', `/operations?organization_id=${tenant.id}&limit=1`);
    expect(page.body).toMatchObject({ data: [{ id: second.id }], has_more: true });
    const { next_cursor } = page.body as { next_cursor: string };
    const rest = await admin('GET', `/operations?organization_id=${tenant.id}&limit=1&cursor=${next_cursor}`);
    expect(rest.body).toMatchObject({ data: [{ id: first.id }], has_more: false });

    await env.query(
      "insert into tenant_operations (id, tenant, kind, parameters, request_id) values ($1, $2, 'move', $3, 'spec')",
      [newId(), tenant.id, { shard: 'two' }],
    );
    expect(await admin('POST', `/organizations/${tenant.id}/operations`, { kind: 'delete' })).toMatchObject({
      status: 409,
      body: { code: 'operation_in_progress', operation: { kind: 'move', parameters: { shard: 'two' } } },
    });
    const rolledBack = await admin('POST', `/operations/${first.id}/rollback`);
    expect(rolledBack).toMatchObject({ status: 409, body: { code: 'operation_not_undoable' } });
  });

  it('is for operators, and refuses what it does not know', async () => {
    const path = `/v1/admin/organizations/${tenant.id}/operations`;
    expect((await call(api, 'POST', path, { body: { kind: 'export' } })).status).toBe(401);
    expect((await tenant.call(api, 'POST', path, { body: { kind: 'export' } })).status).toBe(401);
    for (const body of [{ kind: 'import' }, { kind: 'export', shard: 'two' }, { kind: 'move' }, {}])
      expect((await admin('POST', `/organizations/${tenant.id}/operations`, body)).status).toBe(400);
    for (const unknown of [`/operations/${newId()}`, `/operations/${newId()}/archive`])
      expect((await admin('GET', unknown)).body).toMatchObject({ status: 404, code: 'not_found' });
    const { id } = await operate(tenant, { kind: 'delete' });
    expect((await admin('GET', `/operations/${id}/archive`)).body).toMatchObject({ code: 'operation_has_no_archive' });
  });
});

/** The archive with one entry changed and its digest made right again. */
async function forged(archive: Buffer, name: string, change: (text: string) => string): Promise<Buffer> {
  const entries = new Map<string, string>();
  for await (const entry of Readable.from([archive]).pipe(createGunzip()).pipe(extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    entries.set(entry.header.name, Buffer.concat(chunks).toString());
  }
  const before = entries.get(name)!;
  const after = change(before);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  entries.set(name, after);
  entries.set('manifest.json', entries.get('manifest.json')!.replace(sha256(before), sha256(after)));
  const tar = pack();
  for (const [entry, text] of entries) tar.entry({ name: entry }, text);
  tar.finalize();
  const packed: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) packed.push(chunk);
  return gzipSync(Buffer.concat(packed));
}
