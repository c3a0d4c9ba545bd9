// Requests to the running api, with bearer token and JSON.
import { StackError } from './stack-error';

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown;
}

export type ApiClient = (request: ApiRequest) => Promise<ApiAnswer>;

const TRIES = 5;

/** A client of the api at `baseUrl`. It waits and tries again when it is told to come back later (429, 503). */
export function apiClient(baseUrl: string): ApiClient {
  return async ({ method, path, token, body, headers }) => {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(`${baseUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(15_000),
      });
      const answer = { status: response.status, body: parse(await response.text()) };
      if ((answer.status !== 429 && answer.status !== 503) || attempt === TRIES) return answer;
      const seconds = Math.min(5, Math.max(1, Number(response.headers.get('retry-after')) || 1));
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    }
  };
}

/** The answer's body when its status is one of `expected`; else a StackError that says what the api answered. */
export function expectAnswer<T>(answer: ApiAnswer, what: string, ...expected: readonly number[]): T {
  if (expected.includes(answer.status)) return answer.body as T;
  const { title, detail, code } = (answer.body ?? {}) as Readonly<Record<string, unknown>>;
  const reason = [code, title, detail].filter((part) => typeof part === 'string').join(', ');
  throw new StackError(`Could not ${what}: the api answered ${answer.status}${reason === '' ? '' : ` (${reason})`}.`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
