/** Why a page could not be had, in words for the connection's tenant. */

export interface SourceFailureOptions {
  /** Whether another try may bring more. */
  readonly isTransient: boolean;
  /** The other side asked not to be asked before. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

export class SourceFailure extends Error {
  readonly isTransient: boolean;
  readonly retryAfterMs: number;

  constructor(
    readonly code: string,
    message: string,
    { isTransient, retryAfterMs = 0, cause }: SourceFailureOptions,
  ) {
    super(message, { cause });
    this.isTransient = isTransient;
    this.retryAfterMs = retryAfterMs;
  }
}

export const badPage = (message: string, cause?: unknown): SourceFailure =>
  new SourceFailure('bad_page', message, { isTransient: false, cause });
