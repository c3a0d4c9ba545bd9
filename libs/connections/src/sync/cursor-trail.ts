/**
 * Tells when a chain of cursors goes in a circle, whatever its length, and keeps one of them: R. P. Brent, "An improved Monte Carlo
 * factorization algorithm" (BIT 20, 1980), section 2. Plain data, so that it goes on from a checkpoint.
 */
import { sha256Hex } from '#libs/kernel';

export interface CursorTrail {
  /** Digest of the cursor that the next ones are compared with. */
  readonly mark: string;
  /** Cursors since. */
  readonly steps: number;
  /** After so many the mark moves up, and this doubles. */
  readonly stride: number;
}

const digest = (cursor: string | null) => (cursor === null ? '' : sha256Hex(cursor));

export function trailFrom(cursor: string | null): CursorTrail {
  return { mark: digest(cursor), steps: 0, stride: 1 };
}

/** The trail with one more cursor; undefined where it was there before. */
export function followed({ mark, steps, stride }: CursorTrail, next: string): CursorTrail | undefined {
  const found = digest(next);
  if (found === mark) return undefined;
  return steps + 1 === stride ? { mark: found, steps: 0, stride: stride * 2 } : { mark, steps: steps + 1, stride };
}
