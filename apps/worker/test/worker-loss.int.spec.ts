import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import {
  createOrganization,
  createTestEnvironment,
  freePort,
  type TestEnvironment,
  type TestOrganization,
  waitFor,
} from '#libs/testing';
import { expectedStock, finishedJob, goodFile, jobRow, lineErrors, queueImport, sku, stock } from './import-fixture';
import { WorkerProcess } from './worker-process';
import { WorkerModule } from '../src/worker.module';
import { createHttpApplication } from '#libs/http';

const LINES = 5_000;
/** Some of them start four workers, one after another. */
jest.setTimeout(180_000);

describe('A worker process that is lost in the middle of an import', () => {
  let env: TestEnvironment;
  let producer: NestFastifyApplication;
  let organization: TestOrganization;
  let holder: Client;
  let variables: Record<string, string>;
  let worker: WorkerProcess | undefined;

  /** Holds a product that stands in the middle of the file, so that the chunk with it cannot commit. */
  const hold = async (index: number) => {
    const values = [organization.id, sku(index), `Product ${index}`];
    await env.query(
      `insert into products (organization_id, id, sku, name, currency) values ($1, gen_random_uuid(), $2, $3, 'GBP')`,
      values,
    );
    await holder.query('begin');
    await holder.query('select from products where organization_id = $1 and sku = $2 for update', values.slice(0, 2));
  };
  const holding = async () => (await holder.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid;
  /** Waits until so many chunks wait for the product that is held, be it behind each other; other work may wait for other locks. */
  const blocked = (chunks: number) =>
    waitFor(
      async () => {
        const waiting = await env.query(
          `with recursive behind (pid) as (
             select $1::integer
             union
             select a.pid from pg_stat_activity a join behind on behind.pid = any (pg_blocking_pids(a.pid))
             where a.wait_event_type = 'Lock' and a.datname = current_database())
           select from behind where pid <> $1`,
          [await holding()],
        );
        return waiting.length >= chunks;
      },
      { what: `${chunks} chunks to wait`, timeoutMs: 30_000 },
    );

  beforeEach(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50', QUEUE_LOCK_MS: '2000', SHUTDOWN_GRACE_MS: '5000' });
    organization = await createOrganization(env);
    variables = { ...env.variables, WORKER_PORT: String(await freePort()) };
    holder = new Client({ connectionString: env.adminUrl });
    await holder.connect();
    producer = await createProducer();
  });
  afterEach(async () => {
    await worker?.kill('SIGKILL');
    await holder.end();
    await producer.close();
    await env.dispose();
  });

  /** The modules of a worker, not started: it only makes jobs. */
  async function createProducer(): Promise<NestFastifyApplication> {
    const app = await createHttpApplication({ module: WorkerModule.forRoot(env.config), config: env.config });
    return app.init();
  }

  const halfWay = async () => {
    worker = await WorkerProcess.start(variables);
    await hold(2_600);
    const { id } = await queueImport(producer, organization.id, goodFile(LINES));
    await blocked(1);
    expect(await jobRow(env, id)).toMatchObject({ state: 'running', processed: '2500' });
    return id;
  };

  const everythingOnce = async (id: string) => {
    expect(await finishedJob(env, id)).toMatchObject({
      state: 'completed',
      result: { lines: LINES, failed: 0 },
      processed: String(LINES),
      attempts: 1,
    });
    expect(await lineErrors(env, id)).toEqual([]);
    expect(await stock(env, organization.id)).toEqual(expectedStock(LINES));
  };

  it('finishes after a restart when it was killed, each line applied once, the time before charged', async () => {
    const id = await halfWay();
    const charged = () =>
      env.query("select from tenant_usage where organization_id = $1 and metric = 'job_milliseconds' and value > 0", [
        organization.id,
      ]);
    await waitFor(async () => (await charged()).length > 0, { what: 'the time so far to be charged' });
    expect((await jobRow(env, id)).state).toBe('running');
    await worker!.kill('SIGKILL');
    await holder.query('rollback'); // the chunk that had been sent commits behind the dead worker's back
    worker = await WorkerProcess.start(variables);
    await everythingOnce(id);
  });

  it('finishes in another worker while the chunk of the killed one still hangs', async () => {
    const id = await halfWay();
    await worker!.kill('SIGKILL');
    worker = await WorkerProcess.start(variables);
    await blocked(2);
    await holder.query('rollback');
    await everythingOnce(id);
  });

  /** The next hold, then the former chunk may commit: the worker goes on to the next one and waits there. */
  const goesOnTo = async (index: number, processed: number) => {
    const next = new Client({ connectionString: env.adminUrl });
    await next.connect();
    const former = holder;
    holder = next;
    await hold(index);
    await former.query('rollback');
    await former.end();
    return async (id: string) => {
      const reached = async () => String((await jobRow(env, id)).processed) === String(processed);
      await waitFor(reached, { what: `line ${processed}`, timeoutMs: 30_000 });
      await blocked(1);
    };
  };

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'goes on from its checkpoint after two workers in a row had to go by %s, and has used one attempt',
    async (signal) => {
      const id = await halfWay();
      let gone = worker!.kill(signal);
      if (signal === 'SIGKILL') await gone;
      const second = await goesOnTo(4_100, 4_000);
      await gone;
      expect((await jobRow(env, id)).state).toBe(signal === 'SIGTERM' ? 'queued' : 'running');
      worker = await WorkerProcess.start(variables);
      await second(id);
      gone = worker.kill(signal);
      if (signal === 'SIGKILL') await gone;
      await holder.query('rollback');
      await gone;
      expect((await jobRow(env, id)).attempts).toBe(1);
      worker = await WorkerProcess.start(variables);
      await everythingOnce(id);
      expect(await env.query('select from dead_letters')).toEqual([]);
    },
  );

  it('ends within its grace when a step hangs, which then takes effect once', async () => {
    // Of the grace it leaves a twentieth, for a machine that is busy; the step hangs for longer than that.
    variables = { ...variables, DATABASE_ANSWER_TIMEOUT_MS: '60000', SHUTDOWN_GRACE_MS: '20000' };
    const id = await halfWay();
    const began = performance.now();
    expect(await worker!.kill('SIGTERM')).toBe(1);
    expect(performance.now() - began).toBeLessThan(Number(variables.SHUTDOWN_GRACE_MS));
    await holder.query('rollback');
    worker = await WorkerProcess.start(variables);
    await everythingOnce(id);
  });

  it('hands the job over on SIGTERM and ends by itself', async () => {
    const id = await halfWay();
    const gone = worker!.kill('SIGTERM');
    await holder.query('rollback');
    await gone;
    worker = await WorkerProcess.start(variables);
    await everythingOnce(id);
  });
});
