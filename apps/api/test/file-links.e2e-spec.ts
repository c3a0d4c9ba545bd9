/** Links to the files of exports, as their holders use them: from a directory, and from an object store. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { SealedFileLinks } from '#libs/storage';
import { createTestEnvironment, ObjectStore, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import { createApi } from '../src/create-api';
import { openApiDocument } from '../src/docs/openapi';
import { createTenant, type RunningApi, startApi, stockedProduct, type Tenant } from './support/api-fixture';

describe.each(['a directory', 'an object store'])('links to files in %s', (place) => {
  const bucket = new ObjectStore();
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: NestFastifyApplication;
  let tenant: Tenant;
  let jobId: string;
  let text: string;

  beforeAll(async () => {
    await bucket.start();
    const files = place === 'a directory' ? {} : bucket.variables();
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50', USAGE_FLUSH_MS: '50', ...files });
    api = await startApi(env);
    worker = await createWorker(env.config);
    tenant = await createTenant(api, env);
    await stockedProduct(api, tenant, 7);
    jobId = await exported();
    text = (await tenant.call(api, 'GET', `/v1/jobs/${jobId}/file`)).body;
  });
  afterAll(async () => {
    await worker.close();
    await api.stop();
    await env.dispose();
    await bucket.stop();
  });

  const exported = async (): Promise<string> => {
    const made = await tenant.call(api, 'POST', '/v1/exports', { body: { resource: 'products', format: 'csv' } });
    await waitFor(async () => (await tenant.call(api, 'GET', `/v1/jobs/${made.body.id}`)).body.state === 'completed', {
      what: 'the export to finish',
    });
    return made.body.id;
  };
  const link = (id = jobId, by = tenant) => by.call(api, 'POST', `/v1/jobs/${id}/file_link`);

  it('give the file to whoever has them, without credentials', async () => {
    const made = await link();
    expect(made.status).toBe(201);
    expect(Object.keys(made.body)).toEqual(['url', 'expires_at']);
    expect(Math.abs(Date.parse(made.body.expires_at) - Date.now() - 900_000)).toBeLessThan(10_000);
    expect(new URL(made.body.url).origin).toBe(place === 'a directory' ? api.url : bucket.url);
    const answer = await fetch(made.body.url);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(text);
    expect(text).toContain('GBP');
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="products-${jobId}.csv"`);
    expect(Number(answer.headers.get('content-length'))).toBe(Buffer.byteLength(text));
    expect(answer.headers.get('x-consistency-token')).toBeNull();
  });

  it('are for who may read jobs, and only of jobs that have a file', async () => {
    const admin = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
    const narrow = await tenant.call(api, 'POST', `/v1/admin/organizations/${tenant.id}/api_keys`, {
      headers: admin,
      body: { name: 'narrow', role: 'owner', scopes: ['stock:read'] },
    });
    const authorization = `Bearer ${narrow.body.key as string}`;
    const refused = await tenant.call(api, 'POST', `/v1/jobs/${jobId}/file_link`, { headers: { authorization } });
    expect([refused.status, refused.body.code]).toEqual([403, 'permission_denied']);
    const other = await createTenant(api, env);
    const foreign = await link(jobId, other);
    const unknown = await link(newId(), other);
    expect([foreign.status, unknown.status]).toEqual([404, 404]);
    const csv = { raw: 'sku,name,currency\n', key: newId(), headers: { 'content-type': 'text/csv' } };
    const uploaded = await tenant.call(api, 'POST', '/v1/imports', csv);
    const noFile = await link(uploaded.body.id);
    expect([noFile.status, noFile.body.code]).toEqual([409, 'job_has_no_file']);
  });

  it('lead nowhere once the file is gone', async () => {
    const id = await exported();
    const { url } = (await link(id)).body;
    if (place === 'a directory') rmSync(join(env.config.STORAGE_DIR, tenant.id, `exports/${id}.csv`));
    else bucket.bucket.delete(`${tenant.id}/exports/${id}.csv`);
    expect((await fetch(url)).status).toBe(404);
    const again = await link(id);
    expect([again.status, again.body.code]).toEqual([404, 'not_found']);
  });

  if (place === 'a directory') {
    const problem = async (url: string) => {
      const answer = await fetch(url);
      const { code, detail } = (await answer.json()) as { code: string; detail: string };
      return { status: answer.status, type: answer.headers.get('content-type')?.split(';')[0], code, detail };
    };
    const sealedBy = (secret: string, change: { organizationId?: string; expiresAt?: Date } = {}) => {
      const { organizationId = tenant.id, expiresAt = new Date(Date.now() + 60_000) } = change;
      const file = { organizationId, key: `exports/${jobId}.csv`, filename: 'x.csv', contentType: 'text/csv' };
      return `${api.url}/v1/files/${new SealedFileLinks({ secret }).seal(file, expiresAt)}`;
    };

    it('answer 404 when forged, as any unknown address, and 403 when expired', async () => {
      const { url } = (await link()).body as { url: string };
      const nowhere = await problem(`${api.url}/v1/nowhere`);
      expect(nowhere).toMatchObject({ status: 404, code: 'not_found', type: 'application/problem+json' });
      for (const forged of [
        `${url}x`,
        `${api.url}/v1/files/1.${Buffer.from('[]').toString('base64url')}.${'A'.repeat(43)}`,
        `${api.url}/v1/files/anything`,
        sealedBy('another secret of eight'),
        sealedBy(env.config.MESSAGING_SECRET, { organizationId: newId() }),
      ]) {
        expect({ forged, ...(await problem(forged)) }).toEqual({ forged, ...nowhere });
      }
      const expired = await problem(sealedBy(env.config.MESSAGING_SECRET, { expiresAt: new Date(Date.now() - 1_000) }));
      expect(expired).toMatchObject({ status: 403, code: 'file_link_expired', type: 'application/problem+json' });
    });

    it('are not kept by caches nor passed on, and count for the organization', async () => {
      const other = await createTenant(api, env); // has made no call yet
      mkdirSync(join(env.config.STORAGE_DIR, other.id, 'exports'), { recursive: true });
      writeFileSync(join(env.config.STORAGE_DIR, other.id, `exports/${jobId}.csv`), 'sku,name\n');
      const answer = await fetch(sealedBy(env.config.MESSAGING_SECRET, { organizationId: other.id }));
      expect(await answer.text()).toBe('sku,name\n');
      expect(answer.headers.get('cache-control')).toBe('private, no-store');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      expect(answer.headers.get('ratelimit-policy')).toMatch(/^"link";q=1000000;w=60$/);
      const usage = () =>
        env.query<{ metric: string; value: string }>(
          'select metric, value from tenant_usage where organization_id = $1 and metric = any ($2) order by metric',
          [other.id, ['api_calls', 'bytes_out']],
        );
      const counted = await waitFor(async () => ((await usage()).length === 2 ? usage() : undefined), {
        what: 'the download to count',
      });
      expect(counted.map(({ metric, value }) => [metric, Number(value)])).toEqual([
        ['api_calls', 1],
        ['bytes_out', 9],
      ]);
    });

    it('serve the files of a suspended organization', async () => {
      const { url } = (await link()).body;
      const admin = { headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` } };
      const change = (state: string) =>
        tenant.call(api, 'PATCH', `/v1/admin/organizations/${tenant.id}`, { ...admin, body: { state } });
      expect((await change('suspended')).status).toBe(200);
      expect((await fetch(url)).status).toBe(200);
      expect((await change('active')).status).toBe(200);
    });

    it('lead to the public address of the api where one is configured', async () => {
      const config = loadConfig({ ...env.variables, API_PUBLIC_URL: 'https://api.example.com/stock/' });
      const app = await createApi(config);
      await app.init();
      await app.getHttpAdapter().getInstance().ready();
      const { key } = (
        await tenant.call(api, 'POST', `/v1/admin/organizations/${tenant.id}/api_keys`, {
          headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
          body: { name: 'spec', role: 'owner' },
        })
      ).body as { key: string };
      const made = await app.inject({
        method: 'POST',
        url: `/v1/jobs/${jobId}/file_link`,
        headers: { authorization: `Bearer ${key}` },
      });
      expect(made.json<{ url: string }>().url).toMatch(/^https:\/\/api\.example\.com\/stock\/v1\/files\/1\./);
      const document = openApiDocument(app, config);
      expect(document.paths['/v1/jobs/{id}/file_link']?.post?.responses).toMatchObject({
        201: { content: { 'application/json': { schema: { required: ['url', 'expires_at'] } } } },
      });
      expect(document.paths['/v1/files/{sealed}']?.get?.security).toBeUndefined();
      await app.close();
    });
  }
});
