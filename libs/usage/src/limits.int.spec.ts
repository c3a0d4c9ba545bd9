/** Limits as the database knows them: the same as the code's, told to each tenant for itself alone. */
import { LIMIT_COLUMNS, LIMIT_NAMES } from '#libs/database';
import { newId } from '#libs/kernel';
import { TIER_LIMITS, TIERS } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import type { Client } from 'pg';

describe('limits in SQL', () => {
  let env: TestEnvironment;
  let app: Client;

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await env.connectAs('app');
  });

  afterAll(async () => {
    await app.end();
    await env.dispose();
  });

  /** What the function answers to a tenant, or the SQLSTATE with which it refuses. */
  async function check(tenant: string, asked: string | null, limit: string | null, amount: number | null) {
    await app.query('begin');
    try {
      await app.query("select set_config('app.tenant_id', $1, true)", [tenant]);
      const { rows } = await app.query<{ allowed: boolean }>('select check_tenant_limit($1, $2, $3) as allowed', [
        asked,
        limit,
        amount,
      ]);
      return rows[0]!.allowed;
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await app.query('rollback');
    }
  }

  it.each(TIERS)('agree with the code for every limit of the tier %s', async (tier) => {
    const { id } = await createOrganization(env, { tier });
    for (const name of LIMIT_NAMES) {
      const [column, maximum] = [LIMIT_COLUMNS[name], TIER_LIMITS[tier][name]];
      expect([column, await check(id, id, column, maximum)]).toEqual([column, true]);
      expect([column, await check(id, id, column, maximum + 1)]).toEqual([column, false]);
    }
  });

  it('name every limit that can be overridden, and nothing else', async () => {
    const columns = await env.query<{ attname: string }>(
      `select attname from pg_attribute where attrelid = 'tier_limits'::regclass and attnum > 0 order by attname`,
    );
    expect(columns.map(({ attname }) => attname)).toEqual([...Object.values(LIMIT_COLUMNS), 'tier'].sort());
  });

  it('are those of the override where there is one, upwards and downwards', async () => {
    const { id } = await createOrganization(env, { tier: 'free' });
    await env.query('insert into tenant_limits (organization_id, max_users, max_storage_bytes) values ($1, 9, 10)', [
      id,
    ]);
    expect(await check(id, id, 'max_users', 9)).toBe(true);
    expect(await check(id, id, 'max_users', 10)).toBe(false);
    expect(await check(id, id, 'max_storage_bytes', 11)).toBe(false);
    expect(await check(id, id, 'max_connections', TIER_LIMITS.free.maxConnections)).toBe(true);
  });

  it('are an error for an unknown limit, a missing amount, and a tenant that does not live on this shard', async () => {
    const { id } = await createOrganization(env);
    for (const name of ['no_such_limit', 'tier', 'organization_id', 'updated_at', '', null]) {
      expect([name, await check(id, id, name, 1)]).toEqual([name, '22023']);
    }
    expect(await check(id, id, 'max_users', null)).toBe('22004');
    const stranger = newId();
    expect(await check(stranger, stranger, 'max_users', 1)).toBe('P0002');
    await env.query("update tenant_places set state = 'moved' where tenant = $1", [id]);
    expect(await check(id, id, 'max_users', 1)).toBe('P0002');
  });

  it('are told to no other tenant, nor to a role that serves none, but to whoever owns the schema', async () => {
    const [own, other] = [await createOrganization(env), await createOrganization(env)];
    expect(await check(own.id, other.id, 'max_users', 1)).toBe('42501');
    expect(await check(own.id, null, 'max_users', 1)).toBe('42501');
    const call = 'select check_tenant_limit($1, $2, 1) as allowed';
    await expect(app.query(call, [own.id, 'max_users'])).rejects.toMatchObject({ code: '42501' });
    for (const role of ['relay', 'control', 'monitor', 'mover'] as const) {
      const client = await env.connectAs(role);
      await expect(client.query(call, [own.id, 'max_users'])).rejects.toMatchObject({ code: '42501' });
      await client.end();
    }
    await env.query('insert into tenant_limits (organization_id, max_users) values ($1, 1)', [own.id]);
    expect(await env.query('select check_tenant_limit($1, $2, 2) as allowed', [own.id, 'max_users'])).toEqual([
      { allowed: false },
    ]);
  });

  it('refuse in the words of the platform', async () => {
    const { id } = await createOrganization(env, { tier: 'free' });
    const refusal = await env
      .query("select require_tenant_limit($1, 'max_users', 6)", [id])
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'SY001', message: expect.stringContaining('max_users of 5') as string });
    expect(JSON.parse((refusal as { detail: string }).detail)).toEqual({
      code: 'limit_exceeded',
      category: 'forbidden',
      param: null,
      details: { limit: 'max_users', maximum: 5, requested: 6 },
    });
    await expect(env.query("select require_tenant_limit($1, 'max_users', 5)", [id])).resolves.toHaveLength(1);
  });
});
