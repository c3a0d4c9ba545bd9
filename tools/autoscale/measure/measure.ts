/**
 * Measures what the simulation has to know of the real processes: how long they take to start, what memory they hold, and what a
 * request and a job take of a processor and of time. They run over servers of their own, one after another, so that nothing else
 * of ours is at work. What others do on the machine makes all of it greater, processor time up to twofold: the load stands beside it.
 */
import { cpus, loadavg } from 'node:os';
import { startApiProcess, startWorkerProcess } from '../../../bench/harness/platform-process';
import { type BenchServers, startBenchServers } from '../../../bench/harness/servers';
import type { ApiFigures, Figures, WorkerFigures } from '../figures/figures';
import { apiWork } from './api-work';
import { startFigures } from './start-figures';
import { workerWork } from './worker-work';

type Tell = (text: string) => void;

/** `nodeFlags`: those of the chart's containers. */
export async function measure(nodeFlags: readonly string[], tell: Tell): Promise<Figures> {
  const servers = await startBenchServers({
    overrides: { DATABASE_POOL_SIZE: '12', QUEUE_CONCURRENCY_NORMAL: '1', RATE_LIMIT_MEMORY_MS: '900000' },
    durable: true,
  });
  try {
    const began = loadavg()[0]!;
    const api = await measureApi(servers, nodeFlags, tell);
    const worker = await measureWorker(servers, nodeFlags, tell);
    return { origin: origin(nodeFlags, [began, loadavg()[0]!]), api, worker };
  } finally {
    await servers.close();
  }
}

async function measureApi({ environment }: BenchServers, flags: readonly string[], tell: Tell): Promise<ApiFigures> {
  const start = () => startApiProcess(environment, flags);
  const starting = await startFigures(start);
  tell(`An api starts within ${starting.start_seconds} s.`);
  const api = await start();
  try {
    const work = await apiWork(environment, api, tell);
    return { ...starting, ...work };
  } finally {
    await api.stop();
  }
}

/** An api beside it makes the tenant and no more. */
async function measureWorker(servers: BenchServers, flags: readonly string[], tell: Tell): Promise<WorkerFigures> {
  const { environment } = servers;
  const start = () => startWorkerProcess(environment, flags);
  const starting = await startFigures(start);
  tell(`A worker starts within ${starting.start_seconds} s.`);
  const api = await startApiProcess(environment);
  try {
    return { ...starting, ...(await workerWork(environment, { api, start })) };
  } finally {
    await api.stop();
  }
}

function origin(nodeFlags: readonly string[], [before, after]: readonly [number, number]) {
  return {
    made: 'npm run simulate -- measure',
    on: new Date().toISOString().slice(0, 10),
    node: process.version,
    node_flags: nodeFlags.join(' '),
    processor: `${cpus().length} × ${cpus()[0]!.model.trim()}`,
    load_before: Number(before.toFixed(1)),
    load_after: Number(after.toFixed(1)),
  };
}
