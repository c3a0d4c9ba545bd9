/**
 * Answers that are given before the body has come to its end: a refusal, most often. Closing at once would reset the connection
 * under what the client still sends, and with it the answer; reading on to the end would let the client decide how much. So the
 * answer goes out whole, the rest is thrown away up to LINGER_BYTES and LINGER_MS, and then the connection is closed.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { LINGER_BYTES, LINGER_MS } from './edge-limits';

export function lingerBeforeClosing(fastify: FastifyInstance): void {
  fastify.addHook('onSend', async ({ raw }, reply, payload) => {
    if (!hasMoreToCome(raw)) return payload;
    await setImmediate(); // what came with the headers is parsed behind them
    if (hasEnded(raw)) return payload;
    if (raw.method !== 'HEAD' && (typeof payload === 'string' || Buffer.isBuffer(payload))) {
      reply.header('Connection', 'close');
      reply.header('Content-Length', Buffer.byteLength(payload));
      return Readable.from(answerThenRest(payload, raw), { objectMode: false });
    }
    reply.raw.once('finish', () => void restOf(raw).then(() => hasEnded(raw) || raw.socket.destroy()));
    return payload;
  });
}

function hasMoreToCome(request: IncomingMessage): boolean {
  const { headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return hasBody && !hasEnded(request);
}

/** Received, or read to its end: what did not come over a connection is never `complete`. */
function hasEnded({ complete, readableEnded }: IncomingMessage): boolean {
  return complete || readableEnded;
}

/** The client has all of the answer with the first piece, by its Content-Length. */
async function* answerThenRest(answer: string | Buffer, request: IncomingMessage): AsyncGenerator<string | Buffer> {
  yield answer;
  await restOf(request);
}

/** Resolves when the body has ended, or as much as is read of it. */
async function restOf(request: IncomingMessage): Promise<void> {
  if (request.destroyed || hasEnded(request)) return;
  await new Promise<void>((resolve) => {
    let left = LINGER_BYTES;
    const take = (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) over();
    };
    const over = () => {
      clearTimeout(timer);
      request.off('data', take).off('end', over).off('close', over).off('error', over).pause();
      resolve();
    };
    const timer = setTimeout(over, LINGER_MS);
    request.on('data', take).once('end', over).once('close', over).once('error', over);
    request.resume();
  });
}
