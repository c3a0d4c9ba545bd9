/**
 * From the commit of a job to its start, through outbox, relay, fair queue and a worker process as it is deployed, against a job that
 * is added to plain BullMQ and begun in the same process. Figures are medians in milliseconds: from the acknowledgement of the
 * commit, or of the adding, until the handler is about to run (`started_at`, by the same machine's clock).
 *
 * - idle: one job at a time, with a pause of 20 to 100 ms
 * - steady: 50 jobs a second, of four tenants in turn
 */
import { setTimeout as pause } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { INVENTORY_JOBS } from '#libs/inventory';
import { newId } from '#libs/kernel';
import { MessagingModule } from '#libs/messaging';
import { JobService, QueuesModule } from '#libs/queues';
import { RedisModule } from '#libs/redis';
import { TenancyModule, TenantContextHolder } from '#libs/tenancy';
import { createOrganization, type TestEnvironment, waitFor } from '#libs/testing';
import { Queue, Worker } from 'bullmq';
import type { Bench, Comparison, Contestant } from '../harness/bench';
import { startWorkerProcess } from '../harness/platform-process';
import { startBenchServers } from '../harness/servers';
import { quantile } from '../harness/statistics';

const IDLE_JOBS = 20;
const STEADY_JOBS = 100;
const STEADY_EVERY_MS = 20;
const TENANTS = 4;

const now = (): number => performance.timeOrigin + performance.now();
const idlePause = (): Promise<void> => pause(20 + Math.random() * 80);

/** Makes one job and resolves, when it was acknowledged, with the time from then until it started. */
type MakeJob = (index: number) => Promise<{ readonly started: Promise<number> }>;

const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

function idle(name: string, make: MakeJob): Contestant {
  return {
    name,
    run: async () => {
      const took: number[] = [];
      for (let job = 0; job < IDLE_JOBS; job += 1) {
        took.push(await (await make(job)).started);
        await idlePause();
      }
      return median(took);
    },
  };
}

function steady(name: string, make: MakeJob): Contestant {
  return {
    name,
    run: async () => {
      const jobs: Promise<number>[] = [];
      for (let job = 0; job < STEADY_JOBS; job += 1) {
        jobs.push(make(job).then(({ started }) => started));
        await pause(STEADY_EVERY_MS);
      }
      return median(await Promise.all(jobs));
    },
  };
}

/** Jobs as the api makes them; the worker does nothing with them, as their tenants have no stock. */
async function openOutbox(environment: TestEnvironment) {
  const { config } = environment;

  @Module({
    imports: [
      ConfigModule.forRoot(config),
      TenancyModule,
      DatabaseModule.forRoot({ config, applicationName: 'bench' }),
      RedisModule.forRoot(config),
      MessagingModule.forRoot(config),
      QueuesModule.forRoot({ jobs: INVENTORY_JOBS }),
    ],
  })
  class Producer {}

  const app = await NestFactory.createApplicationContext(Producer, { logger: ['error'] });
  const [jobs, tenant] = [app.get(JobService), app.get(TenantContextHolder)];
  const definition = INVENTORY_JOBS.find(({ type }) => type === 'inventory.reconcile')!;
  const organizations = await Promise.all(Array.from({ length: TENANTS }, () => createOrganization(environment)));
  const startOf = async (id: string): Promise<number | undefined> => {
    const [row] = await environment.query<{ at: string | null }>(
      'select extract(epoch from started_at) * 1000 as at from jobs where id = $1',
      [id],
    );
    return row?.at ? Number(row.at) : undefined;
  };
  const make: MakeJob = async (index) => {
    const { id: organizationId } = organizations[index % TENANTS]!;
    const actor = { type: 'system', id: null } as const;
    const context = { organizationId, actor, permissions: new Set<string>(), requestId: newId() };
    const job = await tenant.run(context, () => jobs.create({ definition, payload: {} }));
    const acknowledged = now();
    const started = waitFor(() => startOf(job.id), { what: 'the job to start', intervalMs: 100 });
    return { started: started.then((at) => at - acknowledged) };
  };
  return { make, close: () => app.close() };
}

function openPlain(url: string) {
  const prefix = 'bench-{plain}';
  const queue = new Queue<{ n: string }>('plain', { connection: { url }, prefix });
  const begun = new Map<string, (at: number) => void>();
  const worker = new Worker<{ n: string }>(
    'plain',
    ({ data }) => {
      begun.get(data.n)!(now());
      return Promise.resolve();
    },
    { connection: { url }, prefix, concurrency: 10 },
  );
  const make: MakeJob = async () => {
    const n = newId();
    const start = new Promise<number>((resolve) => begun.set(n, resolve));
    await queue.add('nothing', { n }, { removeOnComplete: true });
    const acknowledged = now();
    return { started: start.then((at) => Math.max(0.05, at - acknowledged)) }; // it may begin before the adding is known
  };
  const close = async (): Promise<void> => {
    await worker.close();
    await queue.close();
  };
  return { make, close };
}

export const OUTBOX_BENCH: Bench = {
  name: 'outbox',
  about: 'milliseconds from the commit of a job to its start, against plain BullMQ.',
  async *compare(): AsyncGenerator<Comparison> {
    await using opened = new AsyncDisposableStack();
    const servers = await startBenchServers({ durable: true });
    opened.defer(() => servers.close());
    const { environment } = servers;
    const worker = await startWorkerProcess(environment);
    opened.defer(() => worker.stop());
    const outbox = await openOutbox(environment);
    opened.defer(() => outbox.close());
    const plain = openPlain(environment.config.REDIS_URL);
    opened.defer(() => plain.close());
    for (const [pace, contestant] of Object.entries({ idle, steady }))
      yield {
        name: `commit_to_start_${pace}`,
        measures: 'own',
        subject: contestant('outbox', outbox.make),
        reference: contestant('plain', plain.make),
      };
  },
};
