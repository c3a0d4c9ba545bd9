import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { queuePrefix } from '#libs/queues';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { Queue } from 'bullmq';
import { createMetrics } from '../create-metrics';

const CLASSES = ['critical', 'high', 'normal', 'low', 'bulk'];

describe('the board of the queues', () => {
  let env: TestEnvironment;
  let app: NestFastifyApplication;
  let queue: Queue;
  let jobId: string;

  const basic = (password: string, user = 'operator') =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const ask = (url: string, authorization?: string, method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'HEAD' = 'GET') =>
    app.inject({ method, url, headers: authorization === undefined ? {} : { authorization } });
  const asOperator = (url: string) => ask(url, basic(env.config.ADMIN_TOKEN));

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await createMetrics(env.config);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    queue = new Queue('bulk', { connection: { url: env.config.REDIS_URL }, prefix: queuePrefix(env.config, 'bulk') });
    jobId = `job-${newId()}`;
    const data = {
      job_id: newId(),
      organization_id: newId(),
      type: 'bulk.export',
      version: 1,
      consistency: 'sealed-away',
    };
    await queue.add('bulk.export', data, { jobId });
  });
  afterAll(async () => {
    await queue.obliterate({ force: true });
    await queue.close();
    await app.close();
    await env.dispose();
  });

  it.each(['/board', '/board/api/queues', '/board/static/images/logo.svg', '/board/queue/bulk'])(
    'asks a browser for the token before it shows %s',
    async (url) => {
      const wrong = ['Basic !', 'Basic', 'Negotiate x', 'Bearer x', basic(''), basic('x', env.config.ADMIN_TOKEN)];
      for (const authorization of [undefined, ...wrong]) {
        const answer = await ask(url, authorization);
        expect([authorization, answer.statusCode]).toEqual([authorization, 401]);
        expect(answer.headers['www-authenticate']).toMatch(/^Basic realm=/);
        expect(answer.headers['content-type']).toContain('application/problem+json');
      }
    },
  );

  it('shows itself to operators, by Bearer and by Basic, with nothing from elsewhere', async () => {
    for (const authorization of [`Bearer ${env.config.ADMIN_TOKEN}`, basic(env.config.ADMIN_TOKEN, '')]) {
      const { statusCode, headers, body } = await ask('/board', authorization);
      expect([statusCode, headers['content-type']]).toEqual([200, expect.stringContaining('text/html')]);
      expect(body).toContain('Stockyard queues');
      expect(headers['content-security-policy']).toMatch(
        /default-src 'none'; script-src 'self';.*frame-ancestors 'none'/,
      );
      expect(headers['cache-control']).toBe('no-store');
      const script = /src="(static\/js\/main[^"]+)"/.exec(body)![1]!;
      expect((await ask(`/board/${script}`, authorization)).statusCode).toBe(200);
    }
  });

  it('lists the queues and what a job refers to, without its sealed token', async () => {
    const { queues } = (await asOperator('/board/api/queues?activeQueue=bulk&status=latest')).json<{
      queues: { name: string; readOnlyMode: boolean; counts: Record<string, number>; jobs: unknown[] }[];
    }>();
    expect(queues.map(({ name }) => name)).toEqual(CLASSES);
    expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
    expect(queues.at(-1)).toMatchObject({ counts: { waiting: 1 }, jobs: [{ id: jobId }] });
    const { body } = await asOperator(`/board/api/queues/bulk/${jobId}`);
    expect(body).toContain('organization_id');
    expect(JSON.stringify(queues) + body).not.toContain('sealed-away');
  });

  it.each([
    ['PUT', `/bulk/pause`],
    ['PUT', `/bulk/empty`],
    ['PUT', `/bulk/obliterate`],
    ['PUT', `/bulk/retry/failed`],
    ['PUT', `/bulk/clean/completed`],
    ['POST', `/bulk/add`],
    ['PUT', `/pause`],
    ['PATCH', `/bulk/any/update-data`],
  ] as const)('changes nothing: %s %s', async (method, path) => {
    const answer = await ask(`/board/api/queues${path}`, basic(env.config.ADMIN_TOKEN), method);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([403, 'board_is_read_only']);
    expect([await queue.isPaused(), await queue.getWaitingCount()]).toEqual([false, 1]);
  });

  it('opens nothing else to Basic', async () => {
    expect((await asOperator('/v1/cluster')).statusCode).toBe(401);
  });
});

describe('the board without Redis', () => {
  it('says so instead of waiting', async () => {
    const env = await createTestEnvironment();
    const app = await createMetrics({ ...env.config, REDIS_URL: 'redis://127.0.0.1:1' });
    try {
      await app.init();
      const answer = await app.inject({
        url: '/board/api/queues',
        headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
      });
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([503, 'queue_unavailable']);
    } finally {
      await app.close();
      await env.dispose();
    }
  });
});
