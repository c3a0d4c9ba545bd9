/**
 * The trace that the current work belongs to, for exemplars. It is the caller's own: the W3C `traceparent` of the request, of which
 * traces that nobody records (flag `sampled` unset) are left out, as nothing could be found under their id.
 */
import { ClsServiceManager } from 'nestjs-cls';

/** Version, trace id, span id, flags (W3C Trace Context, 3.2). Later versions may append fields. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-([\da-f]{2})(?:$|-)/;
const SAMPLED = 0x01;

const STORE_KEY = Symbol('trace-id');

/** Of a `traceparent`; undefined where it is none, or is not sampled. */
export function traceIdOf(traceparent: unknown): string | undefined {
  const [, id, flags] = TRACEPARENT.exec(typeof traceparent === 'string' ? traceparent : '') ?? [];
  return flags !== undefined && Number.parseInt(flags, 16) & SAMPLED ? id : undefined;
}

/** Keeps it for the rest of the request that is being handled. */
export function enterTrace(traceparent: unknown): void {
  const cls = ClsServiceManager.getClsService();
  const id = traceIdOf(traceparent);
  if (id !== undefined && cls.isActive()) cls.set(STORE_KEY, id);
}

/** undefined outside of a traced request. */
export function currentTraceId(): string | undefined {
  const cls = ClsServiceManager.getClsService();
  return cls.isActive() ? cls.get<string | undefined>(STORE_KEY as never) : undefined;
}
