import { newId } from '#libs/kernel';
import fc from 'fast-check';
import { encodeToken, newSecret, secretHash } from '../tokens/opaque-token';
import { RegionProofs } from './region-proofs.service';

const REGIONS_SECRET = 'a-secret-that-all-regions-share-12';
const regions = { eu: 'https://eu.example.com', us: 'https://us.example.com' };
const of = (REGION: string, secret = REGIONS_SECRET) => new RegionProofs({ REGION, regions, REGIONS_SECRET: secret });

describe('the proof of a region', () => {
  const [eu, us] = [of('eu'), of('us')];
  const made = (by: RegionProofs = eu) => {
    const names = { organizationId: newId(), id: newId() };
    return { ...names, secret: by.newSecret('sk_', names) };
  };

  it('tells in every region where a credential was made', () => {
    expect([us.madeIn('sk_', made(eu)), eu.madeIn('sk_', made(us)), eu.madeIn('sk_', made(eu))]).toEqual([
      'eu',
      'us',
      'eu',
    ]);
  });

  it('is void after any change of the credential, and for another kind of it', () => {
    const token = made();
    expect(us.madeIn('rt_', token)).toBeUndefined();
    expect(us.madeIn('sk_', { ...token, organizationId: newId() })).toBeUndefined();
    expect(us.madeIn('sk_', { ...token, id: newId() })).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(31), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const secret = Buffer.from(token.secret);
        secret[at]! ^= change;
        expect(us.madeIn('sk_', { ...token, secret })).toBeUndefined();
      }),
    );
  });

  it('is not in what somebody else makes: without the secret, with another, or by chance', () => {
    expect(us.madeIn('sk_', { ...made(), secret: newSecret() })).toBeUndefined();
    expect(us.madeIn('sk_', made(of('eu', 'another-secret-of-thirty-two-chars')))).toBeUndefined();
    const without = of('eu', '');
    expect([
      without.newSecret('sk_', made()).length,
      without.newClaim({ organizationId: '', userId: '', tokenId: '' }),
    ]).toEqual([32, undefined]);
    expect(without.madeIn('sk_', made(without))).toBeUndefined();
  });

  it('leaves 128 random bits in the secret: two credentials of one row have nothing in common', () => {
    const names = { organizationId: newId(), id: newId() };
    const [one, other] = [eu.newSecret('sk_', names), eu.newSecret('sk_', names)];
    expect(one).toHaveLength(32);
    for (const half of [
      [0, 16],
      [16, 32],
    ] as const)
      expect(one.subarray(...half).equals(other.subarray(...half))).toBe(false);
    expect(secretHash(one).equals(secretHash(other))).toBe(false);
    expect(encodeToken('sk_', { ...names, secret: one })).toHaveLength(90);
  });

  it('covers organization, user and token of an access token', () => {
    const claims = { organizationId: newId(), userId: newId(), tokenId: newId() };
    const proof = eu.newClaim(claims)!;
    expect(us.claimedIn(claims, proof)).toBe('eu');
    for (const name of Object.keys(claims)) expect(us.claimedIn({ ...claims, [name]: newId() }, proof)).toBeUndefined();
    for (const wrong of ['', 'x', proof.slice(1), `${proof}AAAA`, us.newClaim({ ...claims, userId: newId() })!])
      expect(us.claimedIn(claims, wrong)).toBeUndefined();
  });
});
