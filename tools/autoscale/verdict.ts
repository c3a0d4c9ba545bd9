/** What a run was like: whether the objectives were kept, when not, whether the number of pods swung, and what they cost. */
import type { Objectives } from './objectives';
import type { Row, Run } from './simulate';

export interface Verdict {
  readonly keepsSlo: boolean;
  /** Why not, each with its figures. */
  readonly misses: readonly string[];
  /** Share that was answered, or begun, in time; and that failed. */
  readonly inTime: number;
  readonly failed: number;
  /** Stretches of time in which p95 was above the objective, or a job waited for too long. */
  readonly lateSeconds: number;
  readonly swings: number;
  readonly oscillates: boolean;
  readonly mostReplicas: number;
  readonly podHours: number;
  readonly cost: number;
}

/** Turns of the number of pods that the load does not explain, within so long, are an oscillation. */
const SWINGS = 2;
const SWING_WINDOW_SECONDS = 1_800;
const SAME_LOAD = 0.1;
const ROUNDING = 1e-12;

export function judge(run: Run, objectives: Objectives, pricePerPodHour: number): Verdict {
  const { rows, outcome, trace } = run;
  const inTime = outcome.total === 0 ? 1 : outcome.inTime / outcome.total;
  const failed = outcome.total === 0 ? 0 : outcome.failed / outcome.total;
  const late = rows.filter((row) => isLate(row, trace.of, objectives));
  const rowSeconds = rows.length < 2 ? 0 : rows[1]!.at - rows[0]!.at;
  const lateSeconds = late.length * rowSeconds;
  const misses = trace.of === 'requests' ? ofRequests(inTime, failed, objectives) : ofJobs(run, objectives);
  const swingsAt = swings(rows);
  const { podHours } = rows.at(-1)!;
  return {
    ...{ keepsSlo: misses.length === 0, misses, inTime, failed, lateSeconds, podHours },
    swings: swingsAt.length,
    oscillates: swingsAt.some((at, index) => (swingsAt[index + SWINGS - 1] ?? Infinity) - at <= SWING_WINDOW_SECONDS),
    mostReplicas: Math.max(...rows.map(({ replicas }) => replicas)),
    cost: podHours * pricePerPodHour,
  };
}

const isLate = ({ p95Seconds, oldestSeconds }: Row, of: 'requests' | 'jobs', objectives: Objectives): boolean =>
  of === 'requests' ? p95Seconds > objectives.latencySeconds : oldestSeconds > objectives.jobWaitSeconds;

const percent = (share: number, digits = 2): string => `${(share * 100).toFixed(digits)} %`;

function ofRequests(inTime: number, failed: number, objectives: Objectives): string[] {
  const misses: string[] = [];
  if (inTime < objectives.inTime)
    misses.push(
      `${percent(inTime)} within ${objectives.latencySeconds * 1_000} ms, objective ${percent(objectives.inTime)}`,
    );
  if (failed - (1 - objectives.availability) > ROUNDING)
    misses.push(`${percent(failed, 3)} refused, objective at most ${percent(1 - objectives.availability, 3)}`);
  return misses;
}

/** The alert fires where a job has waited for too long at every look of its `for`; and what waits must be gone at the end. */
function ofJobs({ rows }: Run, { jobWaitSeconds, jobAlertSeconds }: Objectives): string[] {
  let since: number | undefined;
  for (const { at, oldestSeconds } of rows) {
    if (oldestSeconds <= jobWaitSeconds) since = undefined;
    else if (at - (since ??= at) >= jobAlertSeconds)
      return [
        `a job waits for more than ${jobWaitSeconds} s, ${jobAlertSeconds} s long, from ${since} s on: StockyardBacklogOld`,
      ];
  }
  return [];
}

/** When the number of pods turned while the load was what it had been at the turn before. */
export function swings(rows: readonly Pick<Row, 'at' | 'replicas' | 'load'>[]): number[] {
  const found: number[] = [];
  let direction = 0;
  let turn: { load: number } | undefined;
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    const now = before ? Math.sign(row.replicas - before.replicas) : 0;
    if (now === 0) continue;
    if (direction !== 0 && now !== direction) {
      if (turn && Math.abs(row.load - turn.load) <= SAME_LOAD * Math.max(turn.load, row.load)) found.push(row.at);
    }
    if (now !== direction) turn = { load: row.load };
    direction = now;
  }
  return found;
}
