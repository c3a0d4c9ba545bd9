/** Tokens survive sealing, and nothing but what was sealed for the same organization opens. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  type ConsistencyToken,
  ConsistencyTokens,
  newerToken,
  tokenRank,
  toLsn,
  toPosition,
} from './consistency-token';

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...Array.from('0123456789ABCDEF')), { minLength: length, maxLength: length })
    .map((all) => all.join(''));
const token: fc.Arbitrary<ConsistencyToken> = fc.record({
  shard: fc.stringMatching(/^[a-z][a-z0-9_-]{0,30}$/),
  epoch: fc.integer({ min: 1, max: 0x7fffffff }),
  timeline: hex(8),
  position: hex(16),
});
const tokens = new ConsistencyTokens({ secret: 'a secret of the platform' });
const organization = randomUUID();

describe('consistency tokens', () => {
  it('open as they were sealed, for their organization alone', () => {
    fc.assert(
      fc.property(token, (given) => {
        const sealed = tokens.seal(organization, given);
        expect(sealed.length).toBeLessThanOrEqual(128);
        expect(tokens.open(organization.toUpperCase(), sealed)).toEqual(given);
        expect(() => tokens.open(randomUUID(), sealed)).toThrow('not one that this organization was given');
        expect(() => new ConsistencyTokens({ secret: 'another secret' }).open(organization, sealed)).toThrow();
      }),
    );
  });

  it('are void after any change', () => {
    fc.assert(
      fc.property(token, fc.nat(), fc.constantFrom('0', 'a', 'F', '.', '-', '_', ' '), (given, at, replacement) => {
        const sealed = tokens.seal(organization, given);
        const index = at % sealed.length;
        const forged = sealed.slice(0, index) + replacement + sealed.slice(index + 1);
        fc.pre(forged !== sealed);
        expect(() => tokens.open(organization, forged)).toThrow(
          expect.objectContaining({ code: 'invalid_consistency_token', category: 'invalid' }) as Error,
        );
      }),
    );
    for (const text of ['', 'x', '1.main.1', `1.${'a'.repeat(5_000)}`]) {
      expect(() => tokens.open(organization, text)).toThrow();
    }
  });

  it('open under the former secret of the platform too, and are sealed with the new one', () => {
    fc.assert(
      fc.property(token, (given) => {
        const secret = 'a secret of the platform';
        const [told, changed] = [
          { secret, before: 'next' },
          { secret: 'next', before: secret },
        ];
        const [early, late] = [new ConsistencyTokens(told), new ConsistencyTokens(changed)];
        expect(late.open(organization, early.seal(organization, given))).toEqual(given);
        expect(early.open(organization, late.seal(organization, given))).toEqual(given);
        expect(tokens.open(organization, early.seal(organization, given))).toEqual(given);
        expect(() => tokens.open(organization, late.seal(organization, given))).toThrow();
      }),
    );
  });

  it('compare by epoch, then timeline, then position', () => {
    fc.assert(
      fc.property(token, token, (one, other) => {
        const key = ({ epoch, timeline, position }: ConsistencyToken) =>
          (BigInt(epoch) << 96n) | (BigInt(`0x${timeline}`) << 64n) | BigInt(`0x${position}`);
        expect(tokenRank(one) < tokenRank(other)).toBe(key(one) < key(other));
        expect(newerToken(one, other)).toBe(key(one) >= key(other) ? one : other);
      }),
    );
    expect(newerToken(undefined, undefined)).toBeUndefined();
  });

  it('hold positions as PostgreSQL writes them', () => {
    expect(toPosition('16/B374D848')).toBe('00000016B374D848');
    expect(toLsn(toPosition('0/3000060'))).toBe('00000000/03000060');
  });
});
