import { AccessTokenService, LoginService, SessionService, type SessionTokens, UserService } from '#libs/identity';
import { newId } from '#libs/kernel';
import type { TestOrganization } from '#libs/testing';
import { IdentityApp, outcomes, PASSWORD, refused } from './identity-app';

describe('sessions', () => {
  let app: IdentityApp;
  let shop: TestOrganization;

  beforeAll(async () => {
    app = await IdentityApp.start();
    shop = await app.organization();
  });

  afterAll(() => app.close());

  const login = (email: string, password = PASSWORD, organization = shop.slug): Promise<SessionTokens> =>
    app.get(LoginService).login({ organization, email, password }, 'request-login');
  const refresh = (token: string) => app.get(SessionService).refresh(token, 'request-refresh');

  it('begin with a login, whatever the case of the e-mail, and carry user, organization and role', async () => {
    const user = await app.addUser(shop, { email: 'Ada@Example.com', role: 'operator' });
    expect(user.email).toBe('ada@example.com');
    const tokens = await login('ADA@example.com');
    await expect(app.get(AccessTokenService).verify(tokens.accessToken)).resolves.toEqual({
      organizationId: shop.id,
      userId: user.id,
      role: 'operator',
    });
  });

  it('do not begin with anything wrong, and every refusal reads the same', async () => {
    const user = await app.addUser(shop);
    const disabled = await app.addUser(shop);
    const change = { id: disabled.id, patch: { state: 'disabled' as const }, expectedVersion: undefined };
    await app.as(shop, () => app.get(UserService).update(change));
    const attempts = await Promise.allSettled([
      login(user.email, 'another password entirely'),
      login('nobody@example.com'),
      login(disabled.email),
      login(user.email, PASSWORD, 'no-such-organization'),
      login(user.email, PASSWORD, (await app.organization()).slug),
    ]);
    const messages = new Set(attempts.map((attempt) => JSON.stringify((attempt as PromiseRejectedResult).reason)));
    expect(outcomes(attempts)).toEqual({ invalid_credentials: 5 });
    expect(messages.size).toBe(1);
  });

  it('are told in the audit log, failures without what was typed', async () => {
    const quiet = await app.organization();
    const user = await app.addUser(quiet);
    await login(user.email, PASSWORD, quiet.slug);
    await expect(login('hunter2-in-the-wrong-field', 'x', quiet.slug)).rejects.toEqual(refused('invalid_credentials'));
    expect(await app.auditedActions(quiet)).toEqual(['user.created', 'session.opened', 'session.login_failed']);
    const log = await app.env.query('select * from audit_log where organization_id = $1', [quiet.id]);
    expect(JSON.stringify(log)).not.toMatch(/hunter2|argon2|a long enough password/);
  });

  it('go on with each refresh token once: of 20 uses at the same time exactly one is answered', async () => {
    const user = await app.addUser(shop);
    const { refreshToken } = await login(user.email);
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => refresh(refreshToken)));
    expect(outcomes(attempts)).toEqual({ ok: 1, refresh_token_reused: 19 });
    const usable = await app.env.query(
      'select id from refresh_tokens where user_id = $1 and used_at is null and revoked_at is null',
      [user.id],
    );
    expect(usable).toEqual([]); // the copies ended the session, the winner's successor included
  });

  it('end with their whole family when a used token comes again, and leave other sessions alone', async () => {
    const user = await app.addUser(shop);
    const [stolen, other] = [await login(user.email), await login(user.email)];
    const next = await refresh(stolen.refreshToken);
    await expect(refresh(stolen.refreshToken)).rejects.toEqual(refused('refresh_token_reused'));
    await expect(refresh(next.refreshToken)).rejects.toEqual(refused('token_revoked'));
    await expect(refresh(other.refreshToken)).resolves.toBeDefined();
    expect(await app.auditedActions(shop)).toContain('session.reuse_detected');
  });

  it('rotate through many generations and pick up a changed role', async () => {
    const user = await app.addUser(shop);
    let tokens = await login(user.email);
    for (let generation = 0; generation < 5; generation += 1) tokens = await refresh(tokens.refreshToken);
    const change = { id: user.id, patch: { role: 'admin' as const }, expectedVersion: undefined };
    await app.as(shop, () => app.get(UserService).update(change));
    tokens = await refresh(tokens.refreshToken);
    await expect(app.get(AccessTokenService).verify(tokens.accessToken)).resolves.toMatchObject({ role: 'admin' });
  });

  it('end at logout, for whatever token of the session it was asked with', async () => {
    const user = await app.addUser(shop);
    const first = await login(user.email);
    const second = await refresh(first.refreshToken);
    await app.get(SessionService).end(first.refreshToken, 'request-logout');
    await expect(refresh(second.refreshToken)).rejects.toEqual(refused('token_revoked'));
    await expect(app.get(SessionService).end('rt_nonsense', 'request-logout')).resolves.toBeUndefined();
  });

  it.each([
    ['the user is disabled', { state: 'disabled' as const }],
    ['the password changes', { password: 'a different password' }],
  ])('end when %s', async (_, patch) => {
    const user = await app.addUser(shop);
    const { refreshToken } = await login(user.email);
    await app.as(shop, () => app.get(UserService).update({ id: user.id, patch, expectedVersion: undefined }));
    await expect(refresh(refreshToken)).rejects.toEqual(refused('token_revoked'));
  });

  it('never outlive a change of password, however refreshes race with it', async () => {
    const user = await app.addUser(shop);
    const sessions = await Promise.all(Array.from({ length: 5 }, () => login(user.email)));
    const racing = sessions.map(async ({ refreshToken }) => {
      for (let token = refreshToken; ; token = (await refresh(token)).refreshToken);
    });
    const patch = { password: 'the newest password' };
    await app.as(shop, () => app.get(UserService).update({ id: user.id, patch, expectedVersion: undefined }));
    expect(outcomes(await Promise.allSettled(racing))).toEqual({ token_revoked: 5 });
    const select = 'select id from refresh_tokens where user_id = $1 and revoked_at is null and used_at is null';
    expect(await app.env.query(select, [user.id])).toEqual([]);
  });

  it('end when the user is deleted', async () => {
    const user = await app.addUser(shop);
    const { refreshToken } = await login(user.email);
    await app.as(shop, () => app.get(UserService).remove(user.id, undefined));
    await expect(refresh(refreshToken)).rejects.toEqual(refused('invalid_token'));
  });

  it('end when the refresh token expires', async () => {
    const user = await app.addUser(shop);
    const { refreshToken } = await login(user.email);
    app.clock.advance(app.env.config.REFRESH_TOKEN_TTL_SECONDS * 1000);
    await expect(refresh(refreshToken)).rejects.toEqual(refused('token_expired'));
  });

  it('cannot be refreshed with a token whose organization or secret was exchanged', async () => {
    const user = await app.addUser(shop);
    const [mine, neighbour] = [await login(user.email), await app.organization()];
    const prefix = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
    const swapped = mine.refreshToken.replace(prefix(shop.id), prefix(neighbour.id));
    expect(swapped).not.toBe(mine.refreshToken);
    for (const wrong of [swapped, mine.refreshToken.replace(prefix(shop.id), prefix(newId())), 'rt_', 'x']) {
      await expect(refresh(wrong)).rejects.toEqual(refused('invalid_token'));
    }
    await expect(refresh(mine.refreshToken)).resolves.toBeDefined();
  });
});
