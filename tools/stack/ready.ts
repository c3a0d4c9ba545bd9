// Waits until the applications say that they are ready.
import { StopWaiting, waitFor, withLogTail } from '#libs/local-stack';
import type { StackPart } from './part';
import { StackError } from './stack-error';

const TIMEOUT_MS = 60_000;

/**
 * Resolves when GET `url`/ready answers 200. Rejects with a StackError that holds the last lines of the part's log
 * when it ends before, or after a minute; and when `cancelled` says so.
 */
export async function waitUntilReady(part: StackPart, url: string, cancelled: () => boolean): Promise<void> {
  let ended: string | undefined;
  void part.ended.then((how) => (ended = how));
  const probe = async (): Promise<boolean> => {
    if (ended !== undefined) throw new StopWaiting(`${part.name} ended ${ended} before it was ready`);
    if (cancelled()) throw new StopWaiting(`${part.name} was not waited for`);
    const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    if (response.status !== 200) throw new Error(`GET /ready answers ${response.status}`);
    return true;
  };
  try {
    await waitFor(probe, { what: `${part.name} to be ready`, timeoutMs: TIMEOUT_MS, intervalMs: 100 });
  } catch (error) {
    throw new StackError(withLogTail((error as Error).message, part.logFile, 25), 1, { cause: error });
  }
}
