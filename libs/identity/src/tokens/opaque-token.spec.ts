import { newId } from '#libs/kernel';
import fc from 'fast-check';
import { decodeToken, encodeToken, newSecret } from './opaque-token';

const uuid = fc.uuid({ version: [1, 3, 4, 5, 7] });
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const token = fc.record({ organizationId: uuid, id: uuid, secret });
const prefix = fc.constantFrom('sk_' as const, 'rt_' as const);

const WIDTH = 3 + 22 + 22 + 43;

describe('opaque tokens', () => {
  it('keep organization, row and secret through a round trip, at a fixed width', () => {
    fc.assert(
      fc.property(prefix, token, (kind, parts) => {
        const text = encodeToken(kind, parts);
        expect(text).toHaveLength(WIDTH);
        expect(decodeToken(kind, text)).toEqual(parts);
      }),
    );
  });

  it('have one spelling only: whatever text is read as a token is the text that token is written as', () => {
    const alphabet = fc.constantFrom(...Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'));
    fc.assert(
      fc.property(token, fc.nat(WIDTH - 4), alphabet, (parts, at, character) => {
        const text = encodeToken('sk_', parts);
        const altered = text.slice(0, 3 + at) + character + text.slice(4 + at);
        const read = decodeToken('sk_', altered);
        if (read) expect(encodeToken('sk_', read)).toBe(altered);
        if (altered !== text) expect(read).not.toEqual(parts);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are refused when cut, lengthened, of another kind or not base64url', () => {
    const text = encodeToken('sk_', { organizationId: newId(), id: newId(), secret: newSecret() });
    for (const wrong of [
      '',
      'sk_',
      text.slice(0, -1),
      `${text}A`,
      text.replace('sk_', 'rt_'),
      `${text.slice(0, -1)}=`,
    ]) {
      expect(decodeToken('sk_', wrong)).toBeUndefined();
    }
  });

  it('are refused for any text that was not made here', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        expect(decodeToken('sk_', text)).toBeUndefined();
        expect(decodeToken('rt_', `rt_${text}`)).toBeUndefined();
      }),
    );
  });
});
