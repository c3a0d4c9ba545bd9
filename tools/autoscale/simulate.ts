/** Plays a trace against what a chart says of scaling, second by second, with the controllers looking when they look. */
import type { ChartPolicies, Scaled } from './chart/read-chart';
import type { Figures } from './figures/figures';
import { ApiPlant } from './model/api-plant';
import { Monitoring } from './model/monitoring';
import type { Outcome, Plant } from './model/plant';
import { WorkerPlant } from './model/worker-plant';
import type { Objectives } from './objectives';
import { scalerOf } from './scaler';
import type { JobTrace, RequestTrace, Trace } from './traces/trace';

export interface Row {
  readonly at: number;
  /** Requests or jobs a second. */
  readonly load: number;
  /** Asked for, and those of them that serve. */
  readonly replicas: number;
  readonly serving: number;
  readonly p95Seconds: number;
  readonly backlog: number;
  readonly oldestSeconds: number;
  /** Of the request, mean of the pods that are known. */
  readonly cpuUtilization: number;
  /** Paid for so far. */
  readonly podHours: number;
  /** Metric that decided last. */
  readonly by: string | undefined;
}

export interface Run {
  readonly trace: Trace;
  readonly workload: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly rows: readonly Row[];
  readonly outcome: Outcome;
}

export interface SimulationOptions {
  readonly chart: ChartPolicies;
  readonly figures: Figures;
  readonly objectives: Objectives;
  readonly seed?: number;
}

const ROW_SECONDS = 15;
/** Before the trace: the fleet gets used to its first load, from the minimum on. */
const SETTLING_SECONDS = 600;
const traceTime = (now: number): number => Math.max(0, now - SETTLING_SECONDS);

export function simulate(trace: Trace, options: SimulationOptions): Run {
  const scaled = trace.of === 'requests' ? options.chart.api : workersOf(options);
  const plant = trace.of === 'requests' ? apiPlant(trace, scaled, options) : workerPlant(trace, scaled, options);
  return play(trace, plant, scaled, options.chart);
}

function play(trace: Trace, plant: Plant, scaled: Scaled, chart: ChartPolicies): Run {
  const monitoring = new Monitoring(plant, chart);
  const scaler = scalerOf(scaled.scaler, plant.fleet, monitoring);
  const rows: Row[] = [];
  plant.fleet.scale(0, Math.max(scaler.minReplicas, 1), true);
  let before: Outcome = plant.outcome();
  let paidBefore = 0;
  const end = SETTLING_SECONDS + trace.seconds;
  for (let now = 0; now < end; now += 1) {
    if (now === SETTLING_SECONDS) [before, paidBefore] = [plant.outcome(), plant.fleet.podSeconds(now)];
    monitoring.look(now);
    scaler.step(now);
    if (now % ROW_SECONDS === 0) {
      const row = rowOf(now);
      if (now >= SETTLING_SECONDS) rows.push(row);
    }
    plant.advance(now, now % trace.stride === 0);
  }
  rows.push(rowOf(end));
  const after = plant.outcome();
  const outcome: Outcome = {
    total: after.total - before.total,
    inTime: after.inTime - before.inTime,
    failed: after.failed - before.failed,
  };
  const { minReplicas, maxReplicas } = scaler;
  return { trace, workload: scaled.workload.name, minReplicas, maxReplicas, rows, outcome };

  function rowOf(now: number): Row {
    return {
      at: now - SETTLING_SECONDS,
      load: trace.rate(traceTime(now)),
      replicas: plant.fleet.replicas,
      serving: plant.fleet.serving(now).length,
      ...plant.row(now),
      cpuUtilization: monitoring.meanCores / (scaled.workload.requests.cpu ?? 1),
      podHours: (plant.fleet.podSeconds(now) - paidBefore) / 3_600,
      by: scaler.by,
    };
  }
}

function apiPlant(trace: RequestTrace, { workload }: Scaled, { figures, objectives, seed = 1 }: SimulationOptions) {
  return new ApiPlant({
    ...{ workload, figures: figures.api, seed, stride: trace.stride },
    rate: (now) => trace.rate(traceTime(now)),
    objectiveSeconds: objectives.latencySeconds,
    admissionWaitSeconds: setting(workload.env, 'ADMISSION_WAIT_MS', objectives.defaults) / 1_000,
  });
}

/** The group that runs the class of the measured jobs. */
function workersOf({ chart, figures }: SimulationOptions): Scaled {
  const jobClass = figures.worker.job_class;
  const found = chart.workers.find(({ workload }) =>
    (workload.env.WORKER_CLASSES ?? jobClass).split(',').includes(jobClass),
  );
  if (!found)
    throw new TypeError(`The rendered chart has no workers with an autoscaler for jobs of class ${jobClass}.`);
  return found;
}

function workerPlant(trace: JobTrace, { workload }: Scaled, { figures, objectives, seed = 1 }: SimulationOptions) {
  const jobClass = figures.worker.job_class;
  const slotsOf = (name: string): number =>
    setting(workload.env, `QUEUE_CONCURRENCY_${name.toUpperCase()}`, objectives.defaults);
  const classes = (workload.env.WORKER_CLASSES ?? jobClass).split(',');
  const slots = new Map(classes.map((name) => [name, slotsOf(name)]));
  const busyCores = trace.busyUtilization * (workload.requests.cpu ?? 1);
  // Slots of which each job takes its processor time and waits the rest keep a worker that busy.
  const seconds = (slots.get(jobClass)! * figures.worker.job_cpu_seconds) / busyCores;
  return new WorkerPlant({
    ...{ workload, figures: figures.worker, jobClass, slots, seed },
    rate: (now) => trace.rate(traceTime(now)),
    atOnce: (now) => (now < SETTLING_SECONDS ? 0 : trace.atOnce(now - SETTLING_SECONDS)),
    waitSeconds: Math.max(0, seconds - figures.worker.job_cpu_seconds),
    objectiveSeconds: objectives.jobWaitSeconds,
  });
}

/** As the chart sets it, or as the platform does by default. */
function setting(
  env: Readonly<Record<string, string>>,
  name: string,
  defaults: Readonly<Record<string, string>>,
): number {
  return Number(env[name] ?? defaults[name]);
}
