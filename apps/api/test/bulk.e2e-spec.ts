/** Imports, exports and jobs over HTTP, with a real worker beside the api. */
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import { call, createTenant, type RunningApi, startApi, type Tenant } from './support/api-fixture';

const HEADER = 'sku,name,description,price,currency,location,on_hand';
const CSV = { 'content-type': 'text/csv' };
const LIMIT = 1_000_000;

describe('Imports, exports and jobs', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: NestFastifyApplication;
  let tenant: Tenant;

  const upload = (raw: string, key = newId()) => tenant.call(api, 'POST', '/v1/imports', { raw, key, headers: CSV });
  const finished = (id: string) =>
    waitFor(
      async () => {
        const { body } = await tenant.call(api, 'GET', `/v1/jobs/${id}`);
        return body.finished_at ? body : undefined;
      },
      { what: 'the job to finish' },
    );

  beforeAll(async () => {
    env = await createTestEnvironment({ UPLOAD_LIMIT_BYTES: String(LIMIT), OUTBOX_POLL_MS: '50' });
    api = await startApi(env);
    worker = await createWorker(env.config);
    tenant = await createTenant(api, env);
  });
  afterAll(async () => {
    await worker.close();
    await api.stop();
    await env.dispose();
  });

  it('imports a file, shows the job, and hands out the report of broken lines', async () => {
    const accepted = await upload([HEADER, 'A,Alpha,,1.50,GBP,,7', 'B,"Be,ta",,x,GBP,,7', 'C,,,,,,1'].join('\n'));
    expect(accepted.status).toBe(202);
    expect(accepted.body).toMatchObject({
      type: 'bulk.import',
      class: 'bulk',
      state: 'queued',
      progress: { total: 3 },
    });
    const job = await finished(accepted.body.id);
    expect(job).toMatchObject({
      state: 'completed',
      progress: { processed: 3, failed: 2, total: 3 },
      result: { lines: 3, failed: 2 },
      error: null,
    });
    const report = await tenant.call(api, 'GET', `/v1/jobs/${job.id}/report`);
    expect(report.headers.get('content-type')).toContain('text/csv');
    expect(report.headers.get('content-disposition')).toMatch(/^attachment; filename="bulk\.import-/);
    expect(report.body.split('\n').map((row: string) => row.split(',').slice(0, 3).join())).toEqual([
      'line,code,field',
      '3,invalid_price,price',
      '4,missing_name,name',
      '',
    ]);
    const levels = await tenant.call(api, 'GET', '/v1/products?sku=A');
    expect(levels.body.data).toMatchObject([{ sku: 'A', name: 'Alpha', price_minor: 150 }]);
  });

  it('answers a repeated upload with the same job, and refuses another file under the key', async () => {
    const key = newId();
    const text = `${HEADER}\nR,Again,,1,GBP,,1`;
    const [first, second] = [await upload(text, key), await upload(text, key)];
    expect(second.status).toBe(202);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.body).toEqual(first.body);
    const other = await upload(`${text}1`, key);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    await finished(first.body.id);
    const jobs = await env.query('select from jobs where organization_id = $1 and payload::text like $2', [
      tenant.id,
      '%sha256%',
    ]);
    expect(jobs.length).toBe(2); // this one and the one of the test before
  });

  it('takes one of many uploads under the same key', async () => {
    const key = newId();
    const text = `${HEADER}\nP,Parallel,,1,GBP,,1`;
    const answers = await Promise.all(Array.from({ length: 8 }, () => upload(text, key)));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status !== 202 && status !== 409)).toEqual([]);
    const ids = new Set(answers.filter((answer) => answer.status === 202).map((answer) => answer.body.id as string));
    expect(ids.size).toBe(1);
  });

  it('exports what was imported and downloads it', async () => {
    const made = await tenant.call(api, 'POST', '/v1/exports', { body: { resource: 'products', format: 'csv' } });
    expect([made.status, made.body.type, made.body.class]).toEqual([202, 'bulk.export', 'high']);
    const early = await tenant.call(api, 'GET', `/v1/jobs/${made.body.id}/report`);
    expect(early.body).toBe('line,code,field,message\n');
    const job = await finished(made.body.id);
    const file = await tenant.call(api, 'GET', `/v1/jobs/${job.id}/file`);
    expect(file.status).toBe(200);
    expect(file.headers.get('content-disposition')).toBe(`attachment; filename="products-${job.id}.csv"`);
    expect(Number(file.headers.get('content-length'))).toBe(job.result.bytes);
    expect(file.body).toContain('Alpha');
    expect(file.body.trim().split('\n')).toHaveLength(job.result.rows + 1);
  });

  it('lists jobs page by page, newest first, by state and type', async () => {
    const first = await tenant.call(api, 'GET', '/v1/jobs?limit=2');
    expect(first.body).toMatchObject({ has_more: true, data: [{ type: 'bulk.export' }, {}] });
    const next = await tenant.call(api, 'GET', `/v1/jobs?limit=2&cursor=${first.body.next_cursor}`);
    expect(next.body.data[0].id < first.body.data[1].id).toBe(true);
    const imports = await tenant.call(api, 'GET', '/v1/jobs?type=bulk.import&state=completed');
    expect(new Set(imports.body.data.map((job: { type: string }) => job.type))).toEqual(new Set(['bulk.import']));
  });

  it('cancels what has not finished, and says so when there is nothing to cancel', async () => {
    const { body } = await upload(`${HEADER}\nX,X,,1,GBP,,1`);
    const job = await finished(body.id);
    const cancel = await tenant.call(api, 'POST', `/v1/jobs/${job.id}/cancel`);
    expect([cancel.status, cancel.body.code, cancel.body.state]).toEqual([409, 'job_finished', 'completed']);
    const file = await tenant.call(api, 'GET', `/v1/jobs/${job.id}/file`);
    expect([file.status, file.body.code]).toEqual([409, 'job_has_no_file']);
  });

  it.each([
    ['no Idempotency-Key', 400, 'idempotency_key_required', { raw: HEADER, headers: CSV }],
    ['another content type', 415, 'unsupported_media_type', { raw: '{}', key: 'k-type' }],
    ['a file beyond the limit', 413, 'file_too_large', { raw: 'x'.repeat(LIMIT + 1), key: 'k-big', headers: CSV }],
  ])('refuses an upload with %s', async (_, status, code, options) => {
    const answer = await tenant.call(api, 'POST', '/v1/imports', options);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('refuses a file beyond the limit that did not say how long it is, and keeps nothing of it', async () => {
    const [jobs, files] = [await env.query('select from jobs'), stored()];
    const { status, code } = await chunkedUpload(LIMIT * 3);
    expect([status, code]).toEqual([413, 'file_too_large']);
    expect(await env.query('select from jobs')).toHaveLength(jobs.length);
    expect(stored()).toEqual(files);
  });

  it('refuses a file of ten gigabytes by what it says of its length, before any of it is sent', async () => {
    const answer = await new Promise<{ status: number; code: string }>((resolve, reject) => {
      const outgoing = request(`${api.url}/v1/imports`, {
        method: 'POST',
        headers: { ...CSV, ...tenant.headers, 'idempotency-key': newId(), 'content-length': String(10 * 1024 ** 3) },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, code: (JSON.parse(text) as { code: string }).code });
          outgoing.destroy();
        });
      });
      outgoing.flushHeaders();
    });
    expect(answer).toEqual({ status: 413, code: 'file_too_large' });
  });

  it.each([
    [
      'a compressed file',
      415,
      'unsupported_content_encoding',
      { raw: HEADER, headers: { 'content-encoding': 'gzip' } },
    ],
    ['garbage', 422, 'invalid_csv_header', { raw: '\u0000\u0001\ufffd' }],
    ['no line break in sight', 422, 'invalid_csv_header', { raw: 'x'.repeat(200_000) }],
    ['a quote that is never closed', 422, 'invalid_csv_header', { raw: `"${'sku,name\n'.repeat(50_000)}` }],
    ['nothing', 422, 'invalid_csv_header', { raw: '\n\n' }],
    ['a column that nobody knows', 422, 'invalid_csv_header', { raw: 'sku,colour\nA,red' }],
  ])(
    'refuses an upload of %s, and keeps nothing of it',
    async (
      _,
      status,
      code,
      {
        raw,
        headers = {},
      }: {
        raw: string;
        headers?: Record<string, string>;
      },
    ) => {
      const [jobs, files] = [await env.query('select from jobs'), stored()];
      const options = { raw, key: newId(), headers: { ...CSV, ...headers } };
      const answer = await tenant.call(api, 'POST', '/v1/imports', options);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(await env.query('select from jobs')).toHaveLength(jobs.length);
      expect(stored()).toEqual(files);
    },
  );

  it('lists the first 10,000 lines that it left out, and says how many more there were', async () => {
    const lines = Array.from({ length: 10_050 }, (_, n) => (n === 5_000 ? 'GOOD,Good,,1,GBP,,1' : ',no sku,,1,GBP,,1'));
    const accepted = await upload([HEADER, ...lines].join('\n'));
    const job = await finished(accepted.body.id);
    expect(job.result).toEqual({ lines: 10_050, failed: 10_049 });
    const report = await tenant.call(api, 'GET', `/v1/jobs/${job.id}/report`);
    const rows: string[] = report.body.trim().split('\n');
    expect(rows).toHaveLength(1 + 10_000 + 1);
    expect(rows[1]).toContain('2,missing_sku,sku');
    expect(rows.at(-2)).toMatch(/^10002,missing_sku/);
    expect(rows.at(-1)).toBe(',not_listed,,49 more lines were left out and are not listed.');
  });

  it.each([
    ['GET', '/v1/jobs/not-an-id', 400, 'invalid_value'],
    ['GET', '/v1/jobs?state=lost', 400, 'invalid_value'],
    ['GET', '/v1/jobs?colour=red', 400, 'unknown_field'],
    ['GET', '/v1/jobs?cursor=xx', 400, 'invalid_cursor'],
    ['GET', `/v1/jobs/${newId()}/report`, 404, 'not_found'],
    ['GET', `/v1/jobs/${newId()}/file`, 404, 'not_found'],
    ['POST', `/v1/jobs/${newId()}/cancel`, 404, 'not_found'],
  ])('%s %s answers %i %s', async (method, path, status, code) => {
    const answer = await tenant.call(api, method, path);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('refuses an export of something else', async () => {
    const answer = await tenant.call(api, 'POST', '/v1/exports', { body: { resource: 'users', format: 'csv' } });
    expect([answer.status, answer.body.param]).toEqual([400, 'resource']);
  });

  it('answers for the jobs of another organization as for unknown ones', async () => {
    const { body } = await tenant.call(api, 'GET', '/v1/jobs?limit=1');
    const other = await createTenant(api, env);
    for (const path of ['', '/report', '/file']) {
      const foreign = await other.call(api, 'GET', `/v1/jobs/${body.data[0].id}${path}`);
      const unknown = await other.call(api, 'GET', `/v1/jobs/${newId()}${path}`);
      expect(foreign.status).toBe(404);
      expect({ ...foreign.body, request_id: '' }).toEqual({ ...unknown.body, request_id: '' });
    }
    const cancel = await other.call(api, 'POST', `/v1/jobs/${body.data[0].id}/cancel`);
    expect(cancel.status).toBe(404);
    expect((await other.call(api, 'GET', '/v1/jobs')).body.data).toEqual([]);
  });

  const stored = () => readdirSync(join(env.config.STORAGE_DIR, tenant.id), { recursive: true }).sort();

  /** Sends without Content-Length; resolves with what the api says, which it may say before the end. */
  async function chunkedUpload(bytes: number): Promise<{ status: number; code: string }> {
    const made = await call(api, 'POST', `/v1/admin/organizations/${tenant.id}/api_keys`, {
      headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
      body: { name: 'stream', role: 'owner' },
    });
    const authorization = `Bearer ${made.body.key as string}`;
    return new Promise((resolve, reject) => {
      const outgoing = request(`${api.url}/v1/imports`, {
        method: 'POST',
        headers: { ...CSV, 'idempotency-key': newId(), authorization },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, code: (JSON.parse(text) as { code: string }).code });
        });
      });
      for (let sent = 0; sent < bytes; sent += 50_000) outgoing.write('x'.repeat(50_000));
      outgoing.end();
    });
  }
});
