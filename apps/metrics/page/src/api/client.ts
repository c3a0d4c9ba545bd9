/** Asks the API with the credential of this tab, which never stands in an address. */
import { NO_ANSWER, type Problem, problemOf } from './problem';

/** Long enough for a shard that is slow, short enough for somebody who waits. */
const PATIENCE_MS = 20_000;

export type Answer<T> =
  { readonly value: T; readonly problem?: never } | { readonly problem: Problem; readonly value?: never };

export interface Ask {
  /** Below `v1/dashboard/`, encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
}

export class Client {
  /** `base`: the address of the page, so that it also works below a prefix. */
  constructor(
    private readonly credential: string,
    private readonly base: string,
  ) {}

  /** One answer. Never throws, but for a signal that aborts. */
  async read<T>(ask: Ask, signal: AbortSignal): Promise<Answer<T>> {
    const opened = await this.open(ask, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]));
    if (opened.problem) return opened;
    try {
      return { value: (await opened.value.json()) as T };
    } catch {
      return { problem: NO_ANSWER };
    }
  }

  /** An answer whose body is still to come. */
  async open({ path, query = {} }: Ask, signal: AbortSignal, accept = 'application/json'): Promise<Answer<Response>> {
    try {
      const url = new URL(`v1/dashboard/${path}`, this.base);
      url.search = new URLSearchParams(query).toString();
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${this.credential}`, accept },
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        signal,
      });
      if (response.ok) return { value: response };
      const body: unknown = await response.json().catch(() => undefined);
      return { problem: problemOf(response.status, body, response.headers.get('retry-after')) };
    } catch {
      return { problem: NO_ANSWER };
    }
  }
}
