import { retryAfterMs } from './retry-after';

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0);

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['999999999', 3_600_000],
    ['Wed, 25 Nov 2026 12:00:30 GMT', 30_000],
    ['Wed, 25 Nov 2026 11:00:00 GMT', 0],
    ['Wed, 25 Nov 2099 11:00:00 GMT', 3_600_000],
    [undefined, undefined],
    ['', undefined],
    ['-7', undefined],
    ['7.5', undefined],
    ['soon', undefined],
    ['9999999999', undefined],
    ['Foo, 99 Bar 2026 12:00:30 GMT', undefined],
    ['2026-11-25T12:00:30Z', undefined],
  ])('%j means %j', (header, ms) => {
    expect(retryAfterMs(header, NOW)).toBe(ms);
  });
});
