/** Uploads that drip and downloads that nobody reads: both are cut off, and nothing is left of them. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { FileStore } from '#libs/storage';
import { asTenant, createTestEnvironment, RawClient, type TestEnvironment, waitFor } from '#libs/testing';
import { createApi } from '../src/create-api';
import { call, createTenant, type RunningApi, type Tenant } from './support/api-fixture';

const HEADER = 'sku,name,description,price,currency,location,on_hand\n';
const ROW = 'A,Alpha,,1.50,GBP,,7\n';

describe('slow clients', () => {
  let env: TestEnvironment;
  let app: NestFastifyApplication;
  let api: RunningApi;
  let tenant: Tenant;
  const clients: RawClient[] = [];

  const connect = async () => {
    const client = await RawClient.connect(Number(new URL(api.url).port));
    clients.push(client);
    return client;
  };
  const upload = async (more = '') =>
    (await connect()).send(
      `POST /v1/imports HTTP/1.1\r\nhost: x\r\nauthorization: ${tenant.headers.authorization!}\r\n` +
        `idempotency-key: ${newId()}\r\ncontent-type: text/csv\r\ncontent-length: 1000000\r\n${more}\r\n${HEADER}`,
    );
  const folder = () => join(env.config.STORAGE_DIR, tenant.id);
  const stored = () =>
    existsSync(folder())
      ? readdirSync(folder(), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ name }) => name)
      : [];
  const jobs = () => env.query('select from jobs where organization_id = $1', [tenant.id]);

  beforeAll(async () => {
    env = await createTestEnvironment({
      ...{ UPLOAD_MIN_BYTES_PER_SECOND: '2000', UPLOAD_WINDOW_MS: '500', UPLOAD_GRACE_MS: '500' },
      ...{ UPLOAD_TIMEOUT_MS: '4000', ANSWER_WINDOW_MS: '500', ANSWER_MIN_BYTES_PER_SECOND: '100000' },
      ...{ JOB_STREAM_LIFE_MS: '1000' },
    });
    app = await createApi(env.config);
    await app.listen(0, '127.0.0.1');
    api = { url: await app.getUrl(), stop: () => app.close() };
    tenant = await createTenant(api, env);
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(async () => {
    await api.stop();
    await env.dispose();
  });

  it('refuses an upload that drips, closes its connection and keeps nothing of it', async () => {
    const client = await upload();
    client.drip('x', 50);
    await waitFor(async () => stored().some((name) => name.endsWith('.partial')), { what: 'half a file' });
    const answer = await client.answer();
    expect(answer).toMatchObject({ status: 408, body: { code: 'too_slow', min_bytes_per_second: 2_000 } });
    expect(answer.head).toMatch(/^connection: close/im);
    await client.ended();
    expect([stored(), await jobs()]).toEqual([[], []]);
  });

  it('takes one that is as fast as it must be, for longer than a window', async () => {
    const size = 8_000;
    const client = await connect();
    client.send(
      `POST /v1/imports HTTP/1.1\r\nhost: x\r\nauthorization: ${tenant.headers.authorization!}\r\n` +
        `idempotency-key: ${newId()}\r\ncontent-type: text/csv\r\ncontent-length: ${size}\r\n\r\n${HEADER}`,
    );
    let left = size - HEADER.length;
    while (left > 0) {
      const piece = ROW.repeat(40).slice(0, Math.min(left, 400));
      client.send(piece);
      left -= piece.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await client.answer()).status).toBe(202);
    expect(stored()).toHaveLength(1);
  });

  it('ends one that is fast enough and takes too long all the same', async () => {
    const before = stored();
    const client = await upload();
    client.drip(ROW.repeat(20), 50);
    expect(await client.answer()).toMatchObject({ status: 408, body: { code: 'upload_timeout', limit_ms: 4_000 } });
    await client.ended();
    expect(stored()).toEqual(before);
  });

  it('keeps nothing of an upload whose client goes', async () => {
    const before = stored();
    const client = await upload();
    await waitFor(async () => stored().some((name) => name.endsWith('.partial')), { what: 'half a file' });
    client.close();
    await waitFor(async () => stored().length === before.length, { what: 'it to be removed' });
    expect(stored()).toEqual(before);
  });

  it('lets a client read why its upload was refused, and reads no more of it than it must', async () => {
    const client = await upload('content-encoding: gzip\r\n');
    client.drip('x'.repeat(1_000), 20);
    expect(await client.answer()).toMatchObject({ status: 415, body: { code: 'unsupported_content_encoding' } });
    const ms = await client.ended();
    expect(ms).toBeGreaterThan(1_000);
    expect(ms).toBeLessThan(4_000);
  });

  it('closes the file of a download that nobody reads', async () => {
    const key = 'exports/large.csv';
    const link = await asTenant(app, tenant, async () => {
      const files = app.get(FileStore, { strict: false });
      const content = (function* () {
        for (let count = 0; count < 320; count += 1) yield Buffer.alloc(65_536, 'x');
      })();
      await files.put(key, content as unknown as AsyncIterable<Uint8Array>, { maxBytes: 50_000_000 });
      return files.link(key, { filename: 'large.csv', contentType: 'text/csv' });
    });
    const file = join(folder(), key);
    const isOpen = () =>
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === file;
        } catch {
          return false;
        }
      });
    const client = await connect();
    client.socket.pause();
    client.send(`GET /${link.url} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await waitFor(async () => isOpen(), { what: 'the download' });
    await waitFor(async () => !isOpen(), { what: 'its file to be closed', timeoutMs: 5_000 });
    const whole = await call(api, 'GET', `/${link.url}`);
    expect(whole.body).toHaveLength(320 * 65_536);
  });

  it('ends an event stream that is old, for its client to connect again', async () => {
    const body = { type: 'bulk.export', payload: { resource: 'products', format: 'csv' }, delay_seconds: 3_600 };
    const { id } = (await tenant.call(api, 'POST', '/v1/jobs', { body })).body as { id: string };
    const response = await fetch(`${api.url}/v1/jobs/${id}/events`, { headers: tenant.headers });
    expect(await response.text()).toContain('"state":"queued"');
  });
});
