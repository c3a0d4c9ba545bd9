// Waiting on a condition, with a deadline and an error that says what was waited for and what came instead.
import { ServerError } from './server-error';

export interface WaitForOptions {
  /** What is waited for, to stand after "for" in the error, e.g. "the replica to catch up". */
  readonly what: string;
  /** Deadline in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** Pause between two tries in milliseconds. Default 50. */
  readonly intervalMs?: number;
}

/** Thrown by a probe to end the waiting at once: the condition cannot come true any more. */
export class StopWaiting extends ServerError {}

type Answer<T> = T | false | null | undefined;

/**
 * Calls `probe` until it answers something truthy and returns that answer. A probe that throws counts as "not yet",
 * unless it throws {@link StopWaiting}. Rejects with a ServerError after the deadline, even while a probe hangs.
 */
export async function waitFor<T>(probe: () => Answer<T> | Promise<Answer<T>>, options: WaitForOptions): Promise<T> {
  const { what, timeoutMs = 10_000, intervalMs = 50 } = options;
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await beforeDeadline(Promise.resolve().then(probe), deadline);
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      if (error instanceof StopWaiting) throw error;
      last = error;
    }
    if (performance.now() + intervalMs >= deadline) {
      const reason = last instanceof Error ? `: ${last.message}` : '';
      throw new ServerError(`Waited ${(timeoutMs / 1000).toFixed(1)} s in vain for ${what}${reason}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

async function beforeDeadline<T>(answer: Promise<T>, deadline: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const leftMs = Math.max(0, deadline - performance.now());
    timer = setTimeout(() => reject(new Error('the last try gave no answer')), leftMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
