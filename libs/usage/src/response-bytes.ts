/**
 * Counts `bytes_out`: the bytes of the bodies that a tenant's requests are answered with, downloads while they flow, so
 * that one which breaks off counts for what was sent.
 */
import { pipeline, Readable, Transform } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { UsageMeter } from './usage-meter';

@Injectable()
export class ResponseBytes {
  private readonly callers = new WeakMap<object, string>();

  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(
    host: HttpAdapterHost,
    private readonly meter: UsageMeter,
  ) {
    host.httpAdapter.getInstance<FastifyInstance>().addHook('onSend', (request, _reply, payload, done) => {
      const organizationId = this.callers.get(request);
      done(null, organizationId === undefined ? payload : this.counted(organizationId, payload));
    });
  }

  /** The answer to this request, whatever it will be, counts for an organization. */
  charge(request: object, organizationId: string): void {
    this.callers.set(request, organizationId);
  }

  private counted(organizationId: string, payload: unknown): unknown {
    const count = (bytes: number) => this.meter.count(organizationId, 'bytes_out', bytes);
    if (typeof payload === 'string') count(Buffer.byteLength(payload));
    else if (payload instanceof Uint8Array) count(payload.byteLength);
    else if (payload instanceof Readable) return countedStream(payload, count);
    return payload;
  }
}

function countedStream(stream: Readable, count: (bytes: number) => void): Readable {
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count(chunk.byteLength);
      done(null, chunk);
    },
  });
  pipeline(stream, counter, () => undefined); // an error reaches the reply through the counter, which it destroys
  return counter;
}
