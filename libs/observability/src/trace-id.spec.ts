import { ClsServiceManager } from 'nestjs-cls';
import { currentTraceId, enterTrace, traceIdOf } from './trace-id';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('the trace of a request', () => {
  it.each([`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-03`, `01-${TRACE}-${SPAN}-01-of-a-later-version`])(
    'is read from %s',
    (traceparent) => {
      expect(traceIdOf(traceparent)).toBe(TRACE);
    },
  );

  it.each([
    undefined,
    '',
    TRACE,
    ['00', TRACE],
    `00-${TRACE}-${SPAN}-00`, // not sampled: nobody could look it up
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01"} 1`,
  ])('is none in %j', (traceparent) => {
    expect(traceIdOf(traceparent)).toBeUndefined();
  });

  it('is known for the rest of the request, and nowhere else', () => {
    const cls = ClsServiceManager.getClsService();
    enterTrace(`00-${TRACE}-${SPAN}-01`);
    expect(currentTraceId()).toBeUndefined();
    cls.run(() => {
      expect(currentTraceId()).toBeUndefined();
      enterTrace(`00-${TRACE}-${SPAN}-01`);
      expect(currentTraceId()).toBe(TRACE);
    });
    expect(currentTraceId()).toBeUndefined();
  });
});
