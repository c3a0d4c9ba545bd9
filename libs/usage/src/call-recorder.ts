/**
 * Records what becomes of a tenant's request: how long it took and whether it failed, `bytes_in` and `bytes_out`, the bytes of the
 * bodies of both sides. Streams count while they flow, so that one which breaks off counts for what was sent.
 */
import { pipeline, Readable, Transform } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import { routeActivity } from './activity/activity-cell';
import { UsageMeter } from './usage-meter';

/** Whose a request is, and what it counts as. */
interface Call {
  readonly organizationId: string;
  readonly activity: string;
}

@Injectable()
export class CallRecorder {
  private readonly calls = new WeakMap<object, Call>();
  /** Bytes of bodies that came without a length. */
  private readonly arrived = new WeakMap<object, number>();

  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(
    host: HttpAdapterHost,
    private readonly meter: UsageMeter,
  ) {
    const fastify = host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('preParsing', (request, _reply, payload, done) => {
      done(null, request.headers['transfer-encoding'] === undefined ? payload : this.arriving(request, payload));
    });
    fastify.addHook('onSend', (request, _reply, payload, done) => {
      const call = this.calls.get(request);
      done(null, call === undefined ? payload : this.counted(call, payload));
    });
    fastify.addHook('onResponse', (request, reply, done) => {
      this.ended(request, reply);
      done();
    });
  }

  /** A request that was let in; its answer, whatever it will be, counts for the organization. */
  record(request: FastifyRequest, reply: FastifyReply, organizationId: string): void {
    const call = { organizationId, activity: routeActivity(request.method, request.routeOptions.url) };
    this.calls.set(request, call);
    this.meter.called(organizationId, call.activity);
    reply.raw.once('close', () => this.ended(request, reply)); // for one that broke off
  }

  private ended(request: FastifyRequest, reply: FastifyReply): void {
    const call = this.calls.get(request);
    if (!call || !this.calls.delete(request)) return;
    const { organizationId, activity } = call;
    const streams = String(reply.getHeader('content-type')).startsWith('text/event-stream'); // as long as its client likes
    this.meter.answered(organizationId, activity, {
      bytesIn: this.arrived.get(request) ?? lengthOf(request),
      durationUs: streams ? undefined : reply.elapsedTime * 1_000,
      failed: reply.statusCode >= 500,
    });
  }

  private arriving(request: FastifyRequest, payload: RequestPayload): RequestPayload {
    const counter: RequestPayload = countedStream(payload, (bytes) => {
      counter.receivedEncodedLength = (counter.receivedEncodedLength ?? 0) + bytes;
      this.arrived.set(request, counter.receivedEncodedLength);
    });
    return counter;
  }

  private counted({ organizationId, activity }: Call, payload: unknown): unknown {
    const count = (bytes: number) => this.meter.count(organizationId, 'bytes_out', bytes, activity);
    if (typeof payload === 'string') count(Buffer.byteLength(payload));
    else if (payload instanceof Uint8Array) count(payload.byteLength);
    else if (payload instanceof Readable) return countedStream(payload, count);
    return payload;
  }
}

/** As announced; the server holds bodies to it. */
function lengthOf({ headers }: FastifyRequest): number {
  const length = Number(headers['content-length'] ?? 0);
  return Number.isSafeInteger(length) && length > 0 ? length : 0;
}

function countedStream(stream: Readable, count: (bytes: number) => void): Transform {
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count(chunk.byteLength);
      done(null, chunk);
    },
  });
  pipeline(stream, counter, () => undefined); // an error reaches the reply through the counter, which it destroys
  return counter;
}
