import fc from 'fast-check';
import { requestFingerprint } from './request-fingerprint';

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
};

describe('requestFingerprint', () => {
  it('does not depend on the order of fields', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(requestFingerprint('op', reversed(body))).toBe(requestFingerprint('op', body));
      }),
    );
  });

  it('differs for another operation, another value and another order of lines', () => {
    const prints = [
      requestFingerprint('order.create', { lines: [1, 2] }),
      requestFingerprint('order.create', { lines: [2, 1] }),
      requestFingerprint('order.create', { lines: ['1', 2] }),
      requestFingerprint('return.create', { lines: [1, 2] }),
    ];
    expect(new Set(prints).size).toBe(prints.length);
  });
});
