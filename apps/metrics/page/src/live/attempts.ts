/** The two ways to keep a view up to date: a stream of server-sent events, and asking now and then. */
import type { Ask, Client } from '../api/client';
import { NO_ANSWER, type Problem } from '../api/problem';
import { EventParser } from './event-parser';
import type { Attempt, Outcome } from './feed';

/** The server says something every 10 seconds; a stream that is silent for three times as long leads nowhere. */
const SILENCE_MS = 30_000;
const POLL_MS = 10_000;

const SILENT: Problem = { status: 0, code: 'silent', detail: 'The stream went silent.' };
const CUT: Problem = { status: 0, code: 'cut', detail: 'The stream was cut off.' };
const UNREADABLE: Problem = { status: 502, code: 'unreadable', detail: 'The stream held what is no view.' };

/** `event: end`: the credential no longer counts. Its data is the reason, as text or in a field. */
export function endOf(data: string): Problem {
  let reason = data;
  try {
    const value: unknown = JSON.parse(data);
    const fields = (typeof value === 'object' && value !== null ? value : { reason: value }) as Record<string, unknown>;
    const said = fields.detail ?? fields.message ?? fields.reason;
    reason = typeof said === 'string' ? said : '';
  } catch {
    // the text itself
  }
  return { status: 401, code: 'stream_ended', detail: reason.trim() || 'The credential no longer counts.' };
}

/** Reads a stream to its end. A stream that ends by itself is opened again: its process stops, or it is old. */
export function stream<V>(client: Client, ask: Ask): Attempt<V> {
  return async (take, outer) => {
    const silence = new AbortController();
    const signal = AbortSignal.any([outer, silence.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    heard();
    try {
      const opened = await client.open(ask, signal, 'text/event-stream');
      if (opened.problem) return { problem: silence.signal.aborted ? SILENT : opened.problem };
      if (!opened.value.body) return { problem: NO_ANSWER };
      return await readEvents(opened.value.body, take, heard);
    } catch {
      return { problem: silence.signal.aborted ? SILENT : CUT };
    } finally {
      clearTimeout(timer);
    }
  };
}

async function readEvents<V>(
  body: ReadableStream<Uint8Array>,
  take: (view: V) => void,
  heard: () => void,
): Promise<Outcome> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return {};
    heard();
    for (const { name, data } of parser.push(decoder.decode(value, { stream: true }))) {
      if (name === 'end') return { problem: endOf(data) };
      if (name !== 'view') continue;
      let view: V;
      try {
        view = JSON.parse(data) as V;
      } catch {
        return { problem: UNREADABLE };
      }
      take(view);
    }
  }
}

/** Asks every ten seconds. */
export function poll<V>(client: Client, ask: Ask): Attempt<V> {
  return async (take, signal) => {
    const answer = await client.read<V>(ask, signal);
    if (answer.problem) return { problem: answer.problem };
    take(answer.value);
    return { againMs: POLL_MS };
  };
}
