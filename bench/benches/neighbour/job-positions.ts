/**
 * Positions of jobs among those of their class: how many had ended, from the moment in which a job was made until it had ended
 * itself. The fair one (docs/adr/0009-fair-queues.md): what ran already goes on, and then each tenant that waits has its turn once
 * for each of the job's own tenant, all having the same weight and all jobs the same cost.
 */

export interface RanJob {
  readonly id: string;
  readonly organizationId: string;
  /** Milliseconds; null while it waits, or runs. */
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

export interface Position {
  readonly position: number;
  readonly fair: number;
}

const after = (at: number | null, moment: number): boolean => at === null || at > moment;

/** `jobs`: all that waited, ran or were made meanwhile. Undefined for one that has not ended. */
export function positionOf(job: RanJob, jobs: readonly RanJob[]): Position | undefined {
  const { createdAt, finishedAt, organizationId } = job;
  if (finishedAt === null) return undefined;
  let [position, running] = [1, 0];
  const waiting = new Map([[organizationId, 1]]);
  for (const other of jobs) {
    if (other.id === job.id) continue;
    if (!after(other.finishedAt, createdAt)) continue;
    if (other.finishedAt !== null && other.finishedAt <= finishedAt) position += 1;
    if (other.createdAt > createdAt) continue;
    if (after(other.startedAt, createdAt))
      waiting.set(other.organizationId, (waiting.get(other.organizationId) ?? 0) + 1);
    else running += 1;
  }
  const own = waiting.get(organizationId)!;
  return { position, fair: [...waiting.values()].reduce((sum, count) => sum + Math.min(count, own), running) };
}
