/** What a job takes: reconciliations of 1,000 levels, one after another. */
import { Redis } from 'ioredis';
import { waitFor } from '#libs/local-stack';
import type { TestEnvironment } from '#libs/testing';
import { JOB_TYPE } from '../../../bench/benches/neighbour/requests';
import { Tenants } from '../../../bench/benches/neighbour/tenants';
import type { PlatformProcess } from '../../../bench/harness/platform-process';
import { processorSeconds } from '../../../bench/harness/processor-time';
import { quantile } from '../../../bench/harness/statistics';
import type { WorkerFigures } from '../figures/figures';
import { quantiles, residentBytes, rounded } from './resident';

const WARM_UP = 50;
const JOBS = 150;
/** The least of so many rounds counts: what else the machine does only adds to it. */
const ROUNDS = 3;
const TIMEOUT_MS = 300_000;

type WorkerWork = Omit<WorkerFigures, 'start_seconds' | 'start_cpu_seconds' | 'idle_bytes'>;

/** The worker's environment gives the class one slot. */
export async function workerWork(
  environment: TestEnvironment,
  { api, start }: { api: PlatformProcess; start: () => Promise<PlatformProcess> },
): Promise<WorkerWork> {
  await using opened = new AsyncDisposableStack();
  const redis = opened.adopt(new Redis(environment.config.REDIS_URL), (client) => client.disconnect());
  const tenants = new Tenants(environment, api, redis);
  const tenant = await tenants.make(2, 'professional');
  const worker = await start();
  opened.defer(() => worker.stop());
  const done = async (): Promise<boolean> => {
    const open = await environment.query('select from jobs where finished_at is null limit 1');
    return open.length === 0;
  };
  const run = async (count: number): Promise<void> => {
    await tenants.fillQueue(tenant, count);
    await waitFor(done, { what: `${count} jobs to end`, timeoutMs: TIMEOUT_MS, intervalMs: 50 });
  };
  await run(WARM_UP);
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = processorSeconds(worker.pid);
    await run(JOBS);
    least = Math.min(least, (processorSeconds(worker.pid) - before) / JOBS);
  }
  const rows = await environment.query<{ seconds: number }>(
    `select extract(epoch from finished_at - started_at)::float8 as seconds from jobs
     where organization_id = $1 and state = 'completed' order by id desc limit $2`,
    [tenant.organizationId, JOBS],
  );
  if (rows.length < JOBS) throw new Error(`Only ${rows.length} of ${JOBS} jobs have completed.`);
  return {
    job: JOB_TYPE,
    job_class: 'normal',
    job_cpu_seconds: rounded(least),
    job_seconds: quantiles(
      rows.map(({ seconds }) => seconds),
      quantile,
    ),
    busy_bytes: residentBytes(worker.pid),
  };
}
