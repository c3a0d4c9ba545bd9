import { passes, problemOf } from './problem';

describe('problemOf', () => {
  it('reads a problem document', () => {
    const body = {
      code: 'permission_denied',
      detail: 'The permission usage:read is missing.',
      permission: 'usage:read',
    };
    expect(problemOf(403, body)).toEqual({ status: 403, ...body });
  });

  it.each([[undefined], [null], ['<html>'], [{ code: 7, detail: {} }]])('makes do with %p', (body) => {
    expect(problemOf(502, body)).toEqual({
      status: 502,
      code: 'status_502',
      detail: 'The metrics process cannot be reached.',
    });
  });

  it('knows when to come back, in seconds or as a date', () => {
    const now = Date.parse('2026-11-24T14:00:00Z');
    expect(problemOf(503, {}, '7').retryAfterMs).toBe(7_000);
    expect(problemOf(503, {}, 'Tue, 24 Nov 2026 14:00:30 GMT', now).retryAfterMs).toBe(30_000);
    expect(problemOf(503, {}, 'soon')).not.toHaveProperty('retryAfterMs');
  });

  it('asks again only where that may help', () => {
    const statuses = [0, 400, 401, 403, 404, 408, 429, 500, 503];
    const again = statuses.filter((status) => passes(problemOf(status, {})));
    expect(again).toEqual([0, 408, 429, 500, 503]);
  });
});
