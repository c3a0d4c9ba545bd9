import { newId } from '#libs/kernel';
import { type Directory, type Organization, TIER_LIMITS } from '#libs/tenancy';
import { SESSION_LIMITS } from './policy';
import { RateLimitChecks } from './rate-limit-checks';

const ORGANIZATION = {
  id: newId(),
  slug: 'acme',
  limits: { ...TIER_LIMITS.starter, exportsPerHour: 3, authAttemptsPer15Minutes: 7 },
} as Organization;

const directory = {
  find: (id: string) => Promise.resolve(id === ORGANIZATION.id ? ORGANIZATION : undefined),
  findBySlug: (slug: string) => Promise.resolve(slug === 'acme' ? ORGANIZATION : undefined),
} as unknown as Directory;

const checks = new RateLimitChecks(directory, { REDIS_KEY_PREFIX: 'p' });
const slotTags = (keys: readonly { key: string }[]) => new Set(keys.map(({ key }) => /\{(.*)\}/.exec(key)?.[1]));

describe('the checks of a tenant', () => {
  it('take limits from tier and overrides, and share the hash tag of the tenant', async () => {
    const found = await checks.ofTenant(ORGANIZATION.id, ['api', 'export']);
    expect(found.map(({ policy, limit }) => [policy.name, limit])).toEqual([
      ['api', TIER_LIMITS.starter.requestsPerMinute],
      ['export', 3],
    ]);
    expect(slotTags(found)).toEqual(new Set([ORGANIZATION.id]));
  });

  it('are none for an organization that is gone', async () => {
    await expect(checks.ofTenant(newId(), ['api'])).resolves.toEqual([]);
  });
});

describe('the checks of an attempt to log in', () => {
  it('count address and account apart, under one hash tag', async () => {
    const found = await checks.ofAttempt({ address: '192.0.2.1', organization: 'acme', email: 'a@example.com' });
    expect(found.map(({ policy, limit }) => [policy.name, limit])).toEqual([
      ['auth', 7],
      ['auth', 7],
    ]);
    expect(new Set(found.map(({ key }) => key)).size).toBe(2);
    expect(slotTags(found)).toEqual(new Set(['auth']));
    expect(JSON.stringify(found)).not.toContain('example');
  });

  it('know an account by any spelling', async () => {
    const [one, other] = await Promise.all(
      [
        { address: 'x', organization: 'acme', email: 'a@example.com' },
        { address: 'x', organization: ' ACME', email: 'A@Example.com ' },
      ].map((attempt) => checks.ofAttempt(attempt)),
    );
    expect(one).toEqual(other);
  });

  it('count the address alone where no account is named, with the least limit for strangers', async () => {
    for (const attempt of [{ address: 'x' }, { address: 'x', organization: 'nobody' }]) {
      const found = await checks.ofAttempt(attempt);
      expect(found.map(({ limit }) => limit)).toEqual([TIER_LIMITS.free.authAttemptsPer15Minutes]);
    }
  });
});

describe('the checks of a refresh or logout', () => {
  it('count address and token apart, under one hash tag, and apart from attempts to log in', async () => {
    const found = checks.ofSession({ address: '192.0.2.1', token: 'rt_secret' });
    expect(found.map(({ policy, limit }) => [policy.name, limit])).toEqual([
      ['session', SESSION_LIMITS.address],
      ['session', SESSION_LIMITS.token],
    ]);
    const attempt = await checks.ofAttempt({ address: '192.0.2.1', organization: 'acme', email: 'rt_secret' });
    expect(new Set([...found, ...attempt].map(({ key }) => key)).size).toBe(4);
    expect(slotTags(found)).toEqual(new Set(['auth']));
    expect(JSON.stringify(found)).not.toContain('rt_secret');
  });

  it('count the address alone where no token is sent', () => {
    expect(checks.ofSession({ address: 'x' }).map(({ limit }) => limit)).toEqual([SESSION_LIMITS.address]);
  });
});
