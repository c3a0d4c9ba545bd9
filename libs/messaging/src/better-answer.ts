/**
 * Which of the replicas' answers counts: the first one, unless that replica is out or has failed. It is often the fastest, as it asks
 * nobody, so it waits a moment for another that knows more.
 */
import type { WritePacket } from '@nestjs/microservices';
import type { ErrorCategory } from '#libs/kernel';

/** A replica that is well has answered by then, or will not in time. */
const PATIENCE_MS = 500;
/** Of the replica, and not of the question. */
const ITS_OWN: readonly ErrorCategory[] = ['unavailable', 'internal'];

export interface BetterAnswer {
  take(answer: WritePacket): void;
  /** Nobody waits any more. */
  drop(): void;
}

/** What `take` is given reaches `callback`, at once or later. */
export function betterAnswer(callback: (answer: WritePacket) => void): BetterAnswer {
  let timer: NodeJS.Timeout | undefined;
  const drop = () => clearTimeout(timer);
  const take = (answer: WritePacket) => {
    if (!isItsOwn(answer.err)) {
      drop();
      callback(answer);
    } else timer ??= setTimeout(callback, PATIENCE_MS, answer);
  };
  return { take, drop };
}

function isItsOwn(fault: unknown): boolean {
  return (
    !(fault instanceof Error) &&
    ITS_OWN.includes((fault as { category?: ErrorCategory } | null)?.category as ErrorCategory)
  );
}
