import { usagePeriod } from './usage-period';

const NOW = new Date('2026-03-31T12:00:00Z');

describe('a period of usage', () => {
  it('is the last thirty days unless it is named', () => {
    expect(usagePeriod({}, NOW)).toEqual({ from: new Date('2026-03-01T12:00:00Z'), to: NOW });
    const to = '2026-02-01T00:00:00Z';
    expect(usagePeriod({ to }, NOW)).toEqual({ from: new Date('2026-01-02T00:00:00Z'), to: new Date(to) });
  });

  it('is what is named, in any zone', () => {
    expect(usagePeriod({ from: '2026-01-01T01:00:00+01:00', to: '2026-01-02T00:00:00Z' }, NOW)).toEqual({
      from: new Date('2026-01-01T00:00:00Z'),
      to: new Date('2026-01-02T00:00:00Z'),
    });
  });

  it.each([
    [{ from: '2026-01-02T00:00:00Z', to: '2026-01-02T00:00:00Z' }, 'to'],
    [{ from: '2027-01-01T00:00:00Z' }, 'to'],
    [{ from: '2024-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }, 'from'],
  ])('is refused when it is %j', (period, param) => {
    expect(() => usagePeriod(period, NOW)).toThrow(
      expect.objectContaining({ code: 'invalid_period', category: 'invalid', param }),
    );
  });
});
