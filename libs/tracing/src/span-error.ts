/**
 * What a span may say of an error: its kind, never its message, which may hold values (a unique key, an address).
 */
import { type Span, SpanStatusCode } from '@opentelemetry/api';

const CODE = /^[\w.-]{1,64}$/;

/** A code of ours, an SQLSTATE or a code of Node where there is one, else the name of the class. */
export function errorType(error: unknown): string {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  for (const candidate of [code, name]) if (typeof candidate === 'string' && CODE.test(candidate)) return candidate;
  return '_OTHER';
}

/** Marks a span as failed. It has still to be ended. */
export function failSpan(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', errorType(error));
}
