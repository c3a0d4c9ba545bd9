/**
 * Asks the outside system for a page: some tries with growing pauses (exponential, "full jitter": M. Brooker, "Exponential Backoff
 * and Jitter", AWS Architecture Blog, 2015) within one bound of time, whatever the other side does. What another try cannot mend is
 * not tried again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type OutboundBounds, OutboundClient, OutboundError, type OutboundResponse } from '#libs/outbound';
import { type FeedPage, feedPage, PAGE_BYTES, PAGE_ROWS } from './feed-page';
import { retryAfterMs } from './retry-after';
import { SourceFailure } from './source.error';

export interface FeedRequest {
  readonly url: string;
  /** null: from the beginning. */
  readonly cursor: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** A trial has one. */
  readonly tries: number;
  readonly signal: AbortSignal;
}

export const TRIES = 3;
const CONNECT_MS = 5_000;
/** Of the time for a try: what pauses grow from, what they may be, and what is too little for another try. */
const FIRST_PAUSE_SHARE = 0.05;
const LONGEST_PAUSE_SHARE = 0.5;
const LEAST_SHARE = 0.01;
/** Of 4xx, those that speak of the moment and not of the request. */
const PASSING = new Set([408, 425, 429]);

@Injectable()
export class FeedClient {
  constructor(
    private readonly outbound: OutboundClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'SYNC_TRY_MS'>,
  ) {}

  /** No page takes longer, with all its tries. */
  get longestMs(): number {
    return this.config.SYNC_TRY_MS * TRIES;
  }

  /** 'gone': the cursor is known no more (410). Throws SourceFailure; after an abort of the signal, anything. */
  async page(request: FeedRequest): Promise<FeedPage | 'gone'> {
    const end = performance.now() + this.longestMs;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.attempt(request, end - performance.now());
      } catch (error) {
        if (request.signal.aborted || !(error instanceof SourceFailure) || !error.isTransient) throw error;
        const { SYNC_TRY_MS: tryMs } = this.config;
        const pauseMs = Math.max(error.retryAfterMs, Math.random() * FIRST_PAUSE_SHARE * tryMs * 2 ** attempt);
        const isLate = performance.now() + pauseMs + LEAST_SHARE * tryMs > end;
        if (attempt >= request.tries || isLate || pauseMs > LONGEST_PAUSE_SHARE * tryMs) throw error;
        await delay(pauseMs, undefined, { signal: request.signal });
      }
    }
  }

  private async attempt(request: FeedRequest, leftMs: number): Promise<FeedPage | 'gone'> {
    const answer = await this.ask(request, Math.max(1, Math.min(leftMs, this.config.SYNC_TRY_MS)));
    const { status } = answer;
    if (status === 200) return feedPage(answer);
    if (status === 410) return 'gone';
    throw refusalOf(answer);
  }

  private async ask({ url, cursor, headers, signal }: FeedRequest, tryMs: number): Promise<OutboundResponse> {
    const asked = new URL(url);
    if (cursor !== null) asked.searchParams.set('cursor', cursor);
    asked.searchParams.set('limit', String(PAGE_ROWS));
    const bounds: OutboundBounds = {
      ...{ connectMs: Math.min(CONNECT_MS, tryMs), headersMs: tryMs, totalMs: tryMs, maxBytes: PAGE_BYTES },
    };
    try {
      const sent = { ...headers, accept: 'application/json' };
      return await this.outbound.request({ url: asked.href, headers: sent, bounds, signal });
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      const { code, message, isTransient } = error;
      throw new SourceFailure(code, message, { isTransient, cause: error });
    }
  }
}

function refusalOf({ status, headers }: OutboundResponse): SourceFailure {
  if (status >= 500 || PASSING.has(status)) {
    const options = { isTransient: true, retryAfterMs: retryAfterMs(headers['retry-after'], Date.now()) };
    return new SourceFailure('source_unavailable', `The server answered ${status}.`, options);
  }
  const [code, message] =
    status >= 300 && status < 400
      ? ['source_redirects', `The server answered ${status}, a redirect; put the final address into the url.`]
      : status >= 400
        ? ['source_refused', `The server answered ${status}; check the url and the secrets of the connection.`]
        : ['bad_page', `The server answered ${status}; a page comes with 200.`];
  return new SourceFailure(code, message, { isTransient: false });
}
