/** X-Consistency-Token as clients send it: the api's own, or a clear refusal before anything happens. */
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { createTenant, type RunningApi, startApi, type Tenant } from './support/api-fixture';

describe('X-Consistency-Token', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let [mine, other]: Tenant[] = [];
  let token: string;

  const locations = async (tenant: Tenant) =>
    ((await tenant.call(api, 'GET', '/v1/locations')).body as { data: { code: string }[] }).data.map(
      ({ code }) => code,
    );

  const create = (tenant: Tenant, code: string, sent?: string) =>
    tenant.call(api, 'POST', '/v1/locations', {
      body: { code, name: code },
      ...(sent !== undefined && { headers: { 'x-consistency-token': sent } }),
    });

  beforeAll(async () => {
    env = await createTestEnvironment();
    api = await startApi(env);
    [mine, other] = [await createTenant(api, env), await createTenant(api, env)];
    token = (await create(mine, 'FIRST')).headers.get('x-consistency-token')!;
  });

  afterAll(async () => {
    await api.stop();
    await env.dispose();
  });

  it('comes with writes, reads and refusals, and never goes back', async () => {
    const read = await mine!.call(api, 'GET', '/v1/locations', { headers: { 'x-consistency-token': token } });
    const written = await create(mine!, 'SECOND', token);
    const refused = await create(mine!, 'SECOND', written.headers.get('x-consistency-token')!);
    expect([read.status, written.status, refused.status]).toEqual([200, 201, 409]);
    const tokens = [token, ...[read, written, refused].map(({ headers }) => headers.get('x-consistency-token')!)];
    const positions = tokens.map((each) => each.split('.')[4]!);
    expect(positions).toEqual([...positions].sort());
  });

  it.each<[string, () => string]>([
    ['made up', () => 'nonsense'],
    ['empty', () => ''],
    ['with another seal', () => `${token.slice(0, -22)}${'A'.repeat(22)}`],
    ['with another position', () => token.replace(/\.[0-9A-F]{16}\./, '.00000000FFFFFFFF.')],
    ['with another epoch', () => token.replace(/^1\.main\.1\./, '1.main.2.')],
    ['of another version', () => token.replace(/^1\./, '2.')],
    ['truncated', () => token.slice(0, -1)],
    ['with something behind it', () => `${token}A`],
    ['in lower case', () => token.toLowerCase()],
    ['far too long', () => token + 'A'.repeat(4_000)],
    ['sent twice', () => `${token}, ${token}`],
  ])('that is %s is refused with 400, and nothing is changed', async (name, make) => {
    const refused = await create(mine!, `NO-${name.slice(0, 8)}`, make());
    expect([refused.status, refused.body.code, refused.body.param]).toEqual([
      400,
      'invalid_consistency_token',
      'X-Consistency-Token',
    ]);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect((await locations(mine!)).filter((code) => code.startsWith('NO-'))).toEqual([]);
    const read = await mine!.call(api, 'GET', '/v1/locations', { headers: { 'x-consistency-token': make() } });
    expect(read.status).toBe(400);
  });

  it('of another organization is as void as a made-up one', async () => {
    const refused = await create(other!, 'NO', token);
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_consistency_token']);
    expect(await locations(other!)).not.toContain('NO');
  });

  it('does not stand in for a credential', async () => {
    const answer = await fetch(`${api.url}/v1/locations`, { headers: { 'x-consistency-token': token } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('x-consistency-token')).toBeNull();
  });

  it('is taken by a process that has the next secret of the platform, sent or kept', async () => {
    const { MESSAGING_SECRET: former } = env.config;
    const variables = { ...env.variables, MESSAGING_SECRET: 'the-next-secret', MESSAGING_SECRET_BEFORE: former };
    const changed = await startApi({ ...env, variables });
    try {
      const [sent, kept] = [{ headers: { 'x-consistency-token': token } }, {}];
      for (const options of [sent, kept]) {
        const answer = await mine!.call(changed, 'GET', '/v1/locations', options);
        expect([answer.status, answer.headers.get('x-consistency-token')?.slice(-22) === token.slice(-22)]).toEqual([
          200,
          false,
        ]);
      }
    } finally {
      await changed.stop();
    }
  });

  it('that is kept under a secret that nobody has any more costs no error', async () => {
    const changed = await startApi({ ...env, variables: { ...env.variables, MESSAGING_SECRET: 'the-next-secret' } });
    try {
      expect((await mine!.call(changed, 'GET', '/v1/locations')).status).toBe(200);
      const sent = { headers: { 'x-consistency-token': token } };
      expect((await mine!.call(changed, 'GET', '/v1/locations', sent)).status).toBe(400);
    } finally {
      await changed.stop();
    }
  });
});
