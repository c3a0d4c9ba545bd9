/**
 * Takes JSON bodies: bounded in bytes, in time and in depth. The time is of the whole body, so a client that drips does not
 * gain by each byte.
 */
import type { Readable } from 'node:stream';
import { StockyardError } from '#libs/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { EdgeLimits } from './edge-limits';
import { isDeeperThan } from './nesting';

type BodyLimits = Pick<EdgeLimits, 'BODY_LIMIT_BYTES' | 'BODY_LIMIT_DEPTH' | 'BODY_TIMEOUT_MS'>;
type Done = (error: Error | null, body?: unknown) => void;

/**
 * Many clients name the type of a body that they do not send. It counts as none: where one is needed, validation says what is
 * missing, and an action that takes none is not refused.
 */
export function takeJsonBodies(fastify: FastifyInstance, limits: BodyLimits): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  const take = (request: FastifyRequest, text: string, done: Done) => {
    if (text.length === 0) done(null, undefined);
    else if (isDeeperThan(text, limits.BODY_LIMIT_DEPTH)) done(tooDeep(limits));
    else void parse(request, text, (error, body) => done(error && (forbiddenFieldOf(text) ?? error), body));
  };
  fastify.removeContentTypeParser('application/json');
  fastify.addContentTypeParser('application/json', (request, payload, done) => {
    if (Number(request.headers['content-length'] ?? 0) > limits.BODY_LIMIT_BYTES) done(tooLarge(limits));
    else collect(payload, limits, (error, text = '') => (error ? done(error) : take(request, text, done)));
  });
}

function collect(payload: Readable, limits: BodyLimits, done: (error: Error | null, text?: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const settle = (error: Error | null) => {
    clearTimeout(timer);
    payload.off('data', take).off('end', end).off('error', broken).off('close', broken);
    if (error) done(error);
    else done(null, Buffer.concat(chunks, bytes).toString('utf8'));
  };
  const take = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.BODY_LIMIT_BYTES) settle(tooLarge(limits));
    else chunks.push(chunk);
  };
  const end = () => settle(null);
  const broken = (cause?: Error) => settle(interrupted(cause));
  const timer = setTimeout(() => settle(tooSlow(limits)), limits.BODY_TIMEOUT_MS);
  payload.on('data', take).on('end', end).on('error', broken).on('close', broken);
}

/** Valid JSON that was refused all the same: it would change what objects inherit. */
function forbiddenFieldOf(text: string): StockyardError | undefined {
  try {
    JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
  return new StockyardError({
    code: 'forbidden_field',
    category: 'invalid',
    param: 'body',
    message: 'A field may not be named `__proto__`, nor `constructor` with a `prototype` in it; remove it.',
  });
}

function tooDeep({ BODY_LIMIT_DEPTH: limit }: BodyLimits): StockyardError {
  return new StockyardError({
    code: 'body_too_deep',
    category: 'invalid',
    param: 'body',
    message: `The body nests objects and lists deeper than ${limit}; flatten it.`,
    details: { limit },
  });
}

function tooLarge({ BODY_LIMIT_BYTES: limit }: BodyLimits): StockyardError {
  return new StockyardError({
    code: 'body_too_large',
    category: 'too_large',
    message: `The body is larger than ${limit} bytes; send less at once.`,
    details: { limit_bytes: limit },
  });
}

function tooSlow({ BODY_TIMEOUT_MS: limit }: BodyLimits): StockyardError {
  return new StockyardError({
    code: 'body_timeout',
    category: 'timed_out',
    message: `The body did not arrive within ${limit} ms; send it again, or less at once.`,
    details: { limit_ms: limit },
  });
}

function interrupted(cause?: Error): StockyardError {
  return new StockyardError({ code: 'body_interrupted', category: 'invalid', message: 'The body broke off.', cause });
}
