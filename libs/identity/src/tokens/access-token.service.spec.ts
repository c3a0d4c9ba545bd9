import { ManualClock, newId } from '#libs/kernel';
import { SignJWT, UnsecuredJWT } from 'jose';
import { RegionProofs } from '../regions/region-proofs.service';
import { AccessTokenService } from './access-token.service';

const CONFIG = {
  JWT_SECRET: 'a-secret-for-specs-of-at-least-32-bytes',
  ACCESS_TOKEN_TTL_SECONDS: 900,
  NODE_ENV: 'test',
  REGION: 'eu',
  regions: {},
  REGIONS_SECRET: '',
} as const;
const CLAIMS = { organizationId: newId(), userId: newId(), role: 'admin' } as const;

describe('AccessTokenService', () => {
  const clock = new ManualClock();
  const tokens = new AccessTokenService(CONFIG, clock, new RegionProofs(CONFIG));
  const refusal = (code: string): unknown => expect.objectContaining({ code, category: 'unauthenticated' });

  function foreign(change: { alg?: string; secret?: string; issuer?: string; audience?: string; role?: string }) {
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    return new SignJWT({ org: CLAIMS.organizationId, role: change.role ?? 'admin' })
      .setProtectedHeader({ alg: change.alg ?? 'HS256' })
      .setSubject(CLAIMS.userId)
      .setJti(newId())
      .setIssuer(change.issuer ?? 'stockyard')
      .setAudience(change.audience ?? 'stockyard-api')
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + 60)
      .sign(
        new TextEncoder().encode((change.secret ?? CONFIG.JWT_SECRET).padEnd(64, '\0').slice(0, change.alg ? 64 : 99)),
      );
  }

  it('reads back what it signed', async () => {
    await expect(tokens.verify(await tokens.sign(CLAIMS))).resolves.toEqual(CLAIMS);
  });

  it('tells that a token has expired, from the second of its expiry on', async () => {
    const token = await tokens.sign(CLAIMS);
    clock.advance(899_000);
    await expect(tokens.verify(token)).resolves.toEqual(CLAIMS);
    clock.advance(1_000);
    await expect(tokens.verify(token)).rejects.toEqual(refusal('token_expired'));
  });

  it.each([
    ['another algorithm', { alg: 'HS512' }],
    ['another secret', { secret: 'another-secret-of-more-than-32-bytes!' }],
    ['another issuer', { issuer: 'somebody' }],
    ['another audience', { audience: 'another-api' }],
    ['a role that does not exist', { role: 'superuser' }],
  ])('refuses %s', async (_, change) => {
    await expect(tokens.verify(await foreign(change))).rejects.toEqual(refusal('invalid_token'));
  });

  it('refuses an unsigned token, a cut one and plain text', async () => {
    const token = await tokens.sign(CLAIMS);
    const unsigned = new UnsecuredJWT({ org: CLAIMS.organizationId, role: 'owner' }).setSubject(CLAIMS.userId).encode();
    for (const wrong of [unsigned, token.slice(0, -2), 'not-a-token', '']) {
      await expect(tokens.verify(wrong)).rejects.toEqual(refusal('invalid_token'));
    }
  });

  it('does not start in production with a short secret', () => {
    const short = { ...CONFIG, NODE_ENV: 'production', JWT_SECRET: 'only-16-bytes-ok' } as const;
    expect(() => new AccessTokenService(short, clock, new RegionProofs(CONFIG))).toThrow(/JWT_SECRET/);
  });
});
