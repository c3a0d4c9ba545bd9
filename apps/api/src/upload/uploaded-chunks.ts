/**
 * The bytes of an upload. Whoever stops reading half way leaves the stream as it is: destroying it would take the connection with
 * it, and the client would not learn why it was refused. What is still to come is then thrown away within bounds (libs/http).
 */
import type { Readable } from 'node:stream';
import { StockyardError } from '#libs/kernel';
import { UploadPace, type UploadPaceLimits } from './upload-pace';

/** Throws `upload_interrupted` (400), `too_slow` and `upload_timeout` (408). */
export async function* uploadedChunks(stream: Readable, limits: UploadPaceLimits): AsyncGenerator<Uint8Array> {
  const pace = new UploadPace(limits);
  while (!stream.readableEnded) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) {
      pace.received(chunk.length);
      yield chunk;
    } else if (stream.destroyed) {
      throw interrupted();
    } else {
      const beganAt = performance.now();
      await somethingOf(stream, pace.patienceMs);
      pace.waited(performance.now() - beganAt);
    }
  }
}

const SIGNS = ['readable', 'end', 'close', 'error'] as const;

/** Waits for the next thing to happen to a stream, `mostMs` at most. */
async function somethingOf(stream: Readable, mostMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const over = () => {
      clearTimeout(timer);
      for (const sign of SIGNS) stream.off(sign, over);
      resolve();
    };
    const timer = setTimeout(over, Math.ceil(mostMs));
    for (const sign of SIGNS) stream.on(sign, over);
  });
}

function interrupted(): StockyardError {
  return new StockyardError({
    code: 'upload_interrupted',
    category: 'invalid',
    message: 'The upload broke off; send the whole file again.',
  });
}
