import fc from 'fast-check';
import { decodePhc, encodePhc } from './phc';

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((raw) => Buffer.from(raw));

describe('PHC strings', () => {
  it('keep parameters, salt and hash through a round trip', () => {
    const hash = fc.record({
      memoryKib: fc.integer({ min: 8, max: 9_999_999 }),
      passes: fc.integer({ min: 1, max: 999 }),
      parallelism: fc.integer({ min: 1, max: 99 }),
      salt: bytes(16),
      hash: bytes(32),
    });
    fc.assert(fc.property(hash, (parts) => expect(decodePhc(encodePhc(parts))).toEqual(parts)));
  });

  it.each([
    ['', 'an empty text'],
    [
      '$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
      'another variant',
    ],
    ['$argon2id$v=16$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc', 'another version'],
    ['$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ', 'a missing hash'],
    ['$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', 'another algorithm'],
  ])('refuses %j: %s', (text) => {
    expect(decodePhc(text)).toBeUndefined();
  });
});
