/** Why a request has no answer to show, and whether asking again helps. */

export interface Problem {
  /** Of HTTP; 0: no answer came. */
  readonly status: number;
  readonly code: string;
  /** For people. */
  readonly detail: string;
  /** The permission that the credential lacks. */
  readonly permission?: string;
  /** Ask no earlier. */
  readonly retryAfterMs?: number;
}

/** No answer came: the network, or nobody there. */
export const NO_ANSWER: Problem = { status: 0, code: 'no_answer', detail: 'The metrics process did not answer.' };

/** Answers of something other than the metrics process, such as a proxy before it. */
const WORDS: Readonly<Record<number, string>> = {
  401: 'The credential does not count.',
  403: 'The credential does not allow this.',
  404: 'There is nothing at this address.',
  429: 'Too many requests, or too many streams.',
  502: 'The metrics process cannot be reached.',
  503: 'The metrics process cannot answer at the moment.',
  504: 'The metrics process took too long.',
};

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1000;
  return ms >= 0 ? ms : undefined; // also where it is no number
}

/** Reads a problem document; of anything else, what the status says. */
export function problemOf(status: number, body: unknown, retryAfter: string | null = null, now = Date.now()): Problem {
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const permission = text(fields.permission);
  const after = retryAfterMs(retryAfter, now);
  return {
    status,
    code: text(fields.code) ?? `status_${status}`,
    detail: text(fields.detail) ?? WORDS[status] ?? `The answer had the status ${status}.`,
    ...(permission === undefined ? {} : { permission }),
    ...(after === undefined ? {} : { retryAfterMs: after }),
  };
}

/** Whether the same request may be answered later: nobody there, too many, or trouble on the other side. */
export const passes = ({ status }: Problem): boolean =>
  status === 0 || status === 408 || status === 429 || status >= 500;
