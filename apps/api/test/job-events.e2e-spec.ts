/** Event streams of jobs: what a client sees, and what is left of it when the client, the key, the organization or the api goes. */
import { connect } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import { type Answer, call, createTenant, type RunningApi, startApi, type Tenant } from './support/api-fixture';

const EXPORT = { type: 'bulk.export', payload: { resource: 'products', format: 'csv' } };
const LATER = { ...EXPORT, delay_seconds: 3_600 };
const PER_TENANT = 2;
const PER_PROCESS = 3;

interface StreamEvent {
  readonly event: string;
  readonly id: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the api answers; specs look into it
  readonly data: any;
}

/** An open stream. */
interface Followed {
  readonly status: number;
  readonly headers: Headers;
  /** Grows while the stream is read. */
  readonly events: StreamEvent[];
  readonly comments: string[];
  /** Resolves when the api has ended it. */
  readonly ended: Promise<void>;
  close(): void;
}

function parse(block: string, followed: Pick<Followed, 'events' | 'comments'>): void {
  const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]));
  if (fields.has('')) followed.comments.push(block);
  const [event, id, data] = [fields.get('event'), fields.get('id'), fields.get('data')];
  if (event !== undefined) followed.events.push({ event, id: id!, data: JSON.parse(data!) as unknown });
}

async function follow(
  api: RunningApi,
  id: string,
  headers: Readonly<Record<string, string>>,
): Promise<Followed & { body: string }> {
  const leaving = new AbortController();
  const response = await fetch(`${api.url}/v1/jobs/${id}/events`, { headers, signal: leaving.signal });
  const followed = { events: [] as StreamEvent[], comments: [] as string[] };
  const isStream = response.headers.get('content-type') === 'text/event-stream';
  const read = async () => {
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) parse(block, followed);
    }
  };
  return {
    ...followed,
    ...{ status: response.status, headers: response.headers, body: isStream ? '' : await response.text() },
    ended: isStream ? read().catch(() => undefined) : Promise.resolve(),
    close: () => leaving.abort(),
  };
}

describe('Event streams of jobs', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: NestFastifyApplication;
  let tenant: Tenant;
  let auth: Record<string, string>;
  const operator = () => ({ authorization: `Bearer ${env.config.ADMIN_TOKEN}` });

  const keyOf = async (of: Tenant, role = 'owner'): Promise<Answer['body']> =>
    (
      await call(api, 'POST', `/v1/admin/organizations/${of.id}/api_keys`, {
        headers: operator(),
        body: { name: newId(), role },
      })
    ).body;
  const bearer = async (of: Tenant) => ({ authorization: `Bearer ${(await keyOf(of)).key as string}` });
  const create = async (body: unknown, of = tenant): Promise<string> =>
    (await of.call(api, 'POST', '/v1/jobs', { body })).body.id;
  const open = async () => {
    const { body } = await call(api, 'GET', '/metrics');
    return Number(/^stockyard_job_streams_open (\d+)$/m.exec(body as string)![1]);
  };
  const noneIsLeft = () => waitFor(async () => (await open()) === 0, { what: 'every stream to be gone' });
  const seen = (followed: Followed, state: string) =>
    waitFor(async () => followed.events.some(({ data }) => data.state === state), { what: `the state ${state}` });

  beforeAll(async () => {
    env = await createTestEnvironment({
      ...{ OUTBOX_POLL_MS: '50', JOB_STREAM_POLL_MS: '600', SHUTDOWN_GRACE_MS: '20000' },
      ...{ JOB_STREAMS: String(PER_PROCESS), JOB_STREAMS_PER_TENANT: String(PER_TENANT) },
    });
    api = await startApi(env);
    worker = await createWorker(env.config);
    tenant = await createTenant(api, env);
    auth = await bearer(tenant);
  });
  afterEach(() => noneIsLeft());
  afterAll(async () => {
    await worker.close();
    await api.stop();
    await env.dispose();
  });

  it('tells a job from its first state to its end, and then that there is no more', async () => {
    const id = await create({ ...EXPORT, delay_seconds: 2 });
    const followed = await follow(api, id, auth);
    expect(followed.status).toBe(200);
    expect(followed.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(followed.headers.get('x-accel-buffering')).toBe('no');
    expect(followed.headers.get('content-length')).toBeNull();
    await followed.ended;
    const jobs = followed.events.filter(({ event }) => event === 'job').map(({ data }) => data);
    expect(jobs[0]).toMatchObject({ id, state: 'queued', progress: { processed: 0 } });
    expect(jobs.at(-1)).toEqual((await tenant.call(api, 'GET', `/v1/jobs/${id}`)).body);
    expect(jobs.at(-1)).toMatchObject({ state: 'completed' });
    const lines = followed.events.filter(({ event }) => event === 'log').map(({ data }) => data.message as string);
    expect(lines).toEqual(['Attempt 1 has started.', 'Completed.']);
    const last = followed.events.at(-1)!;
    expect(last).toMatchObject({ event: 'job', id: 'end-2' });
    expect((await follow(api, id, { ...auth, 'last-event-id': last.id })).status).toBe(204);
  });

  it('goes on after the last event that was received, with the lines that were missed', async () => {
    const id = await create(LATER);
    await tenant.call(api, 'POST', `/v1/jobs/${id}/cancel`);
    const whole = await follow(api, id, auth);
    await whole.ended;
    expect(whole.events).toMatchObject([{ event: 'job', id: 'end-1', data: { state: 'cancelled' } }]);
    const resumed = await follow(api, id, { ...auth, 'last-event-id': '0' });
    await resumed.ended;
    expect(resumed.events).toMatchObject([
      { event: 'log', id: '1', data: { level: 'warn', message: 'Cancelled.' } },
      { event: 'job', id: 'end-1' },
    ]);
    const foreign = await follow(api, id, { ...auth, 'last-event-id': 'end-999' });
    expect(foreign.status).toBe(204);
    const forged = await follow(api, id, { ...auth, 'last-event-id': "1'; drop table jobs" });
    await forged.ended;
    expect(forged.events).toMatchObject([{ event: 'job', id: 'end-1' }]);
  });

  it('sees a change without any hint, and says in between that it is there', async () => {
    const id = await create(LATER);
    const followed = await follow(api, id, auth);
    await waitFor(async () => followed.comments.length >= 2, { what: 'two signs of life' });
    expect(followed.events).toHaveLength(1);
    await env.query('update jobs set processed = 7 where id = $1', [id]);
    await waitFor(async () => followed.events.at(-1)!.data.progress.processed === 7, { what: 'the progress' });
    followed.close();
    await followed.ended;
  });

  it('refuses streams beyond those of an organization and of a process, and gives their places back', async () => {
    const [id, other] = [await create(LATER), await createTenant(api, env)];
    const [foreign, otherAuth] = [await create(LATER, other), await bearer(other)];
    const streams = [await follow(api, id, auth), await follow(api, id, auth)];
    const third = await follow(api, id, auth);
    expect([third.status, JSON.parse(third.body).code]).toEqual([429, 'too_many_streams']);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    streams.push(await follow(api, foreign, otherAuth));
    const fourth = await follow(api, foreign, otherAuth);
    expect([fourth.status, JSON.parse(fourth.body).code]).toEqual([503, 'streams_unavailable']);
    expect(fourth.headers.get('retry-after')).not.toBeNull();
    for (const stream of streams) stream.close();
    await noneIsLeft();
    const again = await follow(api, foreign, otherAuth);
    expect(again.status).toBe(200);
    again.close();
  });

  it('keeps nothing for clients that go before, while or without reading', async () => {
    const id = await create(LATER);
    for (let round = 0; round < 10; round += 1) {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
      socket.write(`GET /v1/jobs/${id}/events HTTP/1.1\r\nhost: x\r\nauthorization: ${auth.authorization!}\r\n\r\n`);
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      socket.destroy();
    }
    await noneIsLeft();
    const head = await tenant.call(api, 'HEAD', `/v1/jobs/${id}/events`);
    expect(head.status).toBe(200);
  });

  it('ends when its key is revoked', async () => {
    const [id, key] = [await create(LATER), await keyOf(tenant)];
    const headers = { authorization: `Bearer ${key.key as string}` };
    const followed = await follow(api, id, headers);
    await seen(followed, 'queued');
    await tenant.call(api, 'DELETE', `/v1/api_keys/${key.id}`);
    await followed.ended;
    expect((await follow(api, id, headers)).status).toBe(401);
  });

  it('ends when its organization is suspended', async () => {
    const other = await createTenant(api, env);
    const [id, headers] = [await create(LATER, other), await bearer(other)];
    const followed = await follow(api, id, headers);
    await seen(followed, 'queued');
    const path = `/v1/admin/organizations/${other.id}`;
    const suspended = await call(api, 'PATCH', path, { headers: operator(), body: { state: 'suspended' } });
    expect(suspended.status).toBe(200);
    await followed.ended;
    const refused = await follow(api, id, headers);
    expect([refused.status, JSON.parse(refused.body).code]).toEqual([403, 'organization_not_active']);
  });

  it('hears of it from other processes, long before it would look', async () => {
    const variables = { ...env.variables, JOB_STREAM_POLL_MS: '60000' };
    const patient = await startApi({ ...env, variables });
    try {
      const [moved, revoked, key] = [await create(LATER), await create(LATER), await keyOf(tenant)];
      const streams = [
        await follow(patient, moved, auth),
        await follow(patient, revoked, { authorization: `Bearer ${key.key as string}` }),
      ] as const;
      await Promise.all(streams.map((followed) => seen(followed, 'queued')));
      await tenant.call(api, 'POST', `/v1/jobs/${moved}/cancel`);
      await tenant.call(api, 'DELETE', `/v1/api_keys/${key.id}`);
      await Promise.all(streams.map(({ ended }) => ended));
      expect(streams[0].events.at(-1)).toMatchObject({ id: 'end-1', data: { state: 'cancelled' } });
    } finally {
      await patient.stop();
    }
  });

  it('answers for the jobs of another organization as for unknown ones', async () => {
    const [id, other] = [await create(LATER), await createTenant(api, env)];
    const headers = await bearer(other);
    const [foreign, unknown] = [await follow(api, id, headers), await follow(api, newId(), headers)];
    expect([foreign.status, unknown.status]).toEqual([404, 404]);
    const body = (followed: { body: string }) => ({ ...(JSON.parse(followed.body) as object), request_id: '' });
    expect(body(foreign)).toEqual(body(unknown));
    expect((await follow(api, id, {})).status).toBe(401);
  });

  it('does not hold up an api that leaves', async () => {
    const leaving = await startApi(env);
    const followed = await follow(leaving, await create(LATER), auth);
    await seen(followed, 'queued');
    const began = Date.now();
    await Promise.all([leaving.stop(), followed.ended]);
    expect(Date.now() - began).toBeLessThan(5_000);
  });
});
