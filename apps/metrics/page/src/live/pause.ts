/** How long to wait before asking again, so that a thousand tabs do not come back at once to a process that just started. */
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/**
 * The pause after `failures` failures in a row: doubles to half a minute, half of it by chance, and never shorter than
 * the server asked for. After none (the stream ended as it should): up to one second.
 */
export function pauseMs(failures: number, random: number, retryAfterMs = 0): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  const pause = failures === 0 ? random * FIRST_MS : full * (0.5 + random / 2);
  return Math.round(Math.max(pause, retryAfterMs + (retryAfterMs > 0 ? random * FIRST_MS : 0)));
}
