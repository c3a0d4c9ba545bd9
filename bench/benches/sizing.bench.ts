/**
 * What a request, a line of an import and a job take: microseconds of a processor in the process that does it, against those of
 * Postgres for the same work; bytes of the database against bytes of its log; bytes of Redis. Processor time comes from /proc (Linux
 * only) and hardly depends on what else the machine does. docs/operations/sizing.md makes machines of it.
 */
import type { Bench, Comparison } from '../harness/bench';
import { type PlatformProcess, startApiProcess, startWorkerProcess } from '../harness/platform-process';
import { processorSeconds } from '../harness/processor-time';
import { type BenchServers, startBenchServers } from '../harness/servers';
import type { RequestKind } from './neighbour/requests';
import { both, type Sides } from './sizing/both';
import { Work } from './sizing/work';

/** As the images start it. */
const FLAGS = ['--max-old-space-size=256', '--max-semi-space-size=8'];
const WARM_UP = 500;
const READS = 1_500;
const ORDERS = 300;
const LINES = 2_000;
const JOBS = 15;
const WAITING = 1_000;
const TENANTS = 40;
const MICROSECONDS = 1_000_000;

type Side = 'subject' | 'reference';

/** Microseconds of a processor of two processes, for one of `count`. */
async function processorTime(
  pids: Readonly<Record<Side, number>>,
  count: number,
  work: () => Promise<unknown>,
): Promise<Sides> {
  const seconds = () => [processorSeconds(pids.subject), processorSeconds(pids.reference)] as const;
  const [subject, reference] = seconds();
  await work();
  const after = seconds();
  const each = (from: number, to: number) => ((to - from) * MICROSECONDS) / count;
  return { subject: each(subject, after[0]), reference: each(reference, after[1]) };
}

/** Bytes for one of `count`. */
async function growth<T extends Sides>(
  look: () => Promise<T>,
  count: number,
  work: () => Promise<unknown>,
): Promise<Sides> {
  const before = await look();
  await work();
  const after = await look();
  return {
    subject: (after.subject - before.subject) / count,
    reference: (after.reference - before.reference) / count,
  };
}

const REQUESTS: readonly { readonly name: string; readonly kind: RequestKind; readonly count: number }[] = [
  { name: 'read', kind: 'product', count: READS },
  { name: 'list', kind: 'levels', count: READS },
  { name: 'order', kind: 'order', count: ORDERS },
];

async function* requests(servers: BenchServers, api: PlatformProcess, work: Work): AsyncGenerator<Comparison> {
  const pids = { subject: api.pid, reference: servers.postgres.pid! };
  for (const { name, kind, count } of REQUESTS) {
    await work.requests(kind, WARM_UP);
    const measure = () => processorTime(pids, count, () => work.requests(kind, count));
    yield { name, measures: 'own', ...both({ subject: 'api', reference: 'database' }, measure) };
  }
  const look = async () => {
    const { data, log } = await work.diskBytes();
    return { subject: data, reference: log };
  };
  const disk = () => growth(look, ORDERS, () => work.requests('order', ORDERS));
  yield { name: 'order_bytes', measures: 'own', ...both({ subject: 'data', reference: 'log' }, disk) };
}

async function* tenants(work: Work): AsyncGenerator<Comparison> {
  const look = async () => ({ subject: await work.redisBytes(), reference: (await work.diskBytes()).data });
  const made = () => growth(look, TENANTS, () => work.newTenants(TENANTS));
  yield { name: 'tenant_bytes', measures: 'own', ...both({ subject: 'redis', reference: 'database' }, made) };
}

async function* jobs(servers: BenchServers, worker: PlatformProcess, work: Work): AsyncGenerator<Comparison> {
  const names = { subject: 'worker', reference: 'database' };
  const database = servers.postgres.pid!;
  const pids = { subject: worker.pid, reference: database };
  await work.published();
  const relayed = async () => {
    await work.requests('order', ORDERS);
    await work.published();
  };
  const relay = () => processorTime({ ...pids, reference: servers.redis.pid! }, ORDERS, relayed);
  yield { name: 'order_events', measures: 'own', ...both({ subject: 'worker', reference: 'redis' }, relay) };
  await work.importLines(LINES);
  const taken = () => processorTime(pids, LINES, () => work.importLines(LINES));
  yield { name: 'import_line', measures: 'own', ...both(names, taken) };
  const done = () => processorTime(pids, JOBS, () => work.jobs(JOBS));
  yield { name: 'job', measures: 'own', ...both(names, done) };
}

/** A worker that relays and takes none of them. */
async function* waiting(servers: BenchServers, work: Work): AsyncGenerator<Comparison> {
  const { environment } = servers;
  const variables = { ...environment.variables, WORKER_CLASSES: 'critical' };
  const worker = await startWorkerProcess({ ...environment, variables }, FLAGS);
  try {
    const look = async () => ({ subject: await work.redisBytes(), reference: (await work.diskBytes()).data });
    const wait = () => growth(look, WAITING, () => work.waitingJobs(WAITING));
    yield { name: 'waiting_job_bytes', measures: 'own', ...both({ subject: 'redis', reference: 'database' }, wait) };
  } finally {
    await worker.stop();
  }
}

export const SIZING_BENCH: Bench = {
  name: 'sizing',
  about:
    'processor time of requests, import lines and jobs in api or worker, in microseconds, against that of Postgres; bytes.',
  async *compare(): AsyncGenerator<Comparison> {
    await using opened = new AsyncDisposableStack();
    const servers = await startBenchServers({ overrides: { RATE_LIMIT_MEMORY_MS: '900000' }, durable: true });
    opened.defer(() => servers.close());
    const api = await startApiProcess(servers.environment, FLAGS);
    opened.defer(() => api.stop());
    const work = await Work.open(servers, api);
    opened.defer(() => work.close());
    yield* requests(servers, api, work);
    yield* tenants(work);
    const worker = await startWorkerProcess(servers.environment, FLAGS);
    try {
      yield* jobs(servers, worker, work);
    } finally {
      await worker.stop();
    }
    yield* waiting(servers, work);
  },
};
