/** What the migrator's login needs to be: no superuser, and with the roles prepared not even one who may create them. */
import { loadConfig, roleUrl } from '#libs/config';
import { type LocalPostgres, startLocalPostgres } from '#libs/testing';
import { MIGRATIONS } from '#migrations';
import { Client } from 'pg';
import { checkWall } from '../wall/wall-check';
import { checkShards } from './check-shards';
import { migrate } from './migrate';

const PASSWORD = 'test-superuser';

describe('the login of the migrator', () => {
  let server: LocalPostgres;

  const query = (sql: string, database = 'stockyard') => server.query<Record<string, unknown>>(sql, [], database);
  const config = (user: string, overrides: Readonly<Record<string, string>> = {}) =>
    loadConfig({ DATABASE_URL: server.url({ database: 'stockyard', user }), ...overrides });
  const run = (user: string, overrides: Readonly<Record<string, string>> = {}) =>
    migrate({ config: config(user, overrides), migrations: MIGRATIONS });
  const logIn = async (overrides: Readonly<Record<string, string>> = {}) => {
    const relay = new Client(roleUrl(config('managed', overrides), 'relay'));
    await relay.connect();
    await relay.end();
  };

  beforeAll(async () => {
    server = await startLocalPostgres({ password: PASSWORD, throwaway: true });
    await query(`create role managed login createdb createrole replication password '${PASSWORD}'`, 'postgres');
    await query(`create role visitor login password '${PASSWORD}'`, 'postgres');
    const [version] = await query("select current_setting('server_version_num')::int as number", 'postgres');
    if (Number(version!.number) >= 160_000) return;
    // Before 16 only a superuser makes roles that replicate; this is what the refusal of `managed` asks for.
    const { password } = new URL(roleUrl(config('managed'), 'mover'));
    await query(`create role stockyard_mover login noinherit replication password '${password}'`, 'postgres');
  });

  afterAll(() => server.remove());

  it('need not be a superuser, and builds the same wall', async () => {
    await expect(run('managed')).resolves.toMatchObject([{ applied: MIGRATIONS.map(({ name }) => name) }]);
    const app = new Client(roleUrl(config('managed'), 'app'));
    await app.connect();
    await expect(checkWall(app)).resolves.toEqual([]);
    await app.end();
    const [roles] = await query(
      `select count(*)::int as n, bool_and(rolcanlogin and not rolinherit) as usable,
         array_agg(rolname::text) filter (where rolreplication) as replication from pg_roles where rolname like 'stockyard\\_%'`,
    );
    expect(roles).toEqual({ n: 6, usable: true, replication: ['stockyard_mover'] });
  });

  it('may be anyone when nothing differs', async () => {
    await expect(run('visitor')).resolves.toEqual([{ shard: 'main', applied: [] }]);
    await expect(checkShards(config('visitor'), MIGRATIONS)).resolves.toEqual([{ shard: 'main', violations: [] }]);
  });

  it('is told the statement that it may not run, without the secret in it', async () => {
    await query('alter role stockyard_monitor createdb');
    await expect(run('visitor')).rejects.toMatchObject({
      code: 'role_not_manageable',
      message: expect.stringMatching(/"main".*may not run "alter role stockyard_monitor nocreatedb"/) as string,
    });
    await run('managed');
    const [role] = await query("select rolcreatedb from pg_roles where rolname = 'stockyard_monitor'");
    expect(role).toEqual({ rolcreatedb: false });

    const error = await run('visitor', { DATABASE_RELAY_PASSWORD: 'never-to-be-shown' }).catch((e: unknown) => e);
    expect(String(error)).toMatch(/"alter role stockyard_relay password …"/);
    expect(String(error)).not.toMatch(/never-to-be-shown/);
  });

  it('gives roles a changed password and lost settings back', async () => {
    const changed = { DATABASE_RELAY_PASSWORD: 'another-password' };
    await query('alter role stockyard_app reset jit; alter role stockyard_relay reset enable_seqscan');
    await expect(logIn(changed)).rejects.toMatchObject({ code: '28P01' });
    await run('managed', changed);
    await logIn(changed);
    const set = await query(
      "select rolconfig::text[] as settings from pg_roles where rolname in ('stockyard_app', 'stockyard_relay') order by rolname",
    );
    expect(set).toEqual([
      { settings: expect.arrayContaining(['jit=off', 'enable_seqscan=off']) as string[] },
      { settings: ['enable_seqscan=off'] },
    ]);
    await run('managed');
    await logIn();
  });
});
