/** The connection dies while the commit that makes an organization is on its way. */
import { Test, type TestingModule } from '@nestjs/testing';
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { createTestEnvironment, platformModules, type TestEnvironment, waitFor, Way } from '#libs/testing';
import { Client } from 'pg';
import { OrganizationService, OrganizationsModule } from '.';

/** Held by the specs: commits of new organizations wait for it where they are told to. */
const GATE = 4_712;

describe('an organization whose commit is lost', () => {
  let env: TestEnvironment;
  let app: TestingModule;
  let way: Way;
  let hooks: number;
  let slug: string;

  beforeAll(async () => {
    env = await createTestEnvironment();
    await env.query(`
      create table spec_gate (slug text);
      create function stop_at_commit() returns trigger language plpgsql security definer as $$
      begin
        if exists (select from spec_gate where slug = new.slug) then perform pg_advisory_xact_lock_shared(${GATE}); end if;
        return null;
      end $$;
      create constraint trigger gate after insert on organizations deferrable initially deferred
        for each row execute function stop_at_commit()`);
    way = new Way(env.variables.DATABASE_URL!);
    await way.open();
    const config = loadConfig({ ...env.variables, DATABASE_URL: way.url, DATABASE_REPLICA_URLS: '' });
    app = await Test.createTestingModule({ imports: [...platformModules(config), OrganizationsModule] }).compile();
    await app.init();
  });
  afterAll(async () => {
    await app.close();
    await way.cut();
    await env.dispose();
  });
  beforeEach(() => {
    hooks = 0;
    slug = `o-${newId()}`;
  });

  const create = (atTheEndOfTheHook: () => void) =>
    app.get(OrganizationService).create({ slug, name: 'Lost', limits: { maxUsers: 3 } }, () => {
      hooks += 1;
      atTheEndOfTheHook();
      return Promise.resolve();
    });
  const rows = () => env.query<{ id: string }>('select id from organizations where slug = $1', [slug]);
  const breakWay = async () => {
    await way.cut();
    await way.open();
  };
  const isThereOnce = async (id: string) => {
    expect(await rows()).toEqual([{ id }]);
    expect(await env.query('select state, epoch from tenant_places where tenant = $1', [id])).toEqual([
      { state: 'open', epoch: 1 },
    ]);
    expect(await env.query('select max_users from tenant_limits where organization_id = $1', [id])).toEqual([
      { max_users: 3 },
    ]);
    expect(hooks).toBe(1);
  };

  it('is there when the commit was done and its answer was lost', async () => {
    const creating = create(() => way.swallowAnswers());
    await waitFor(async () => (await rows()).length === 1, { what: 'the commit' });
    await breakWay();
    await isThereOnce((await creating).id);
  });

  it('is made after all when the commit did not arrive', async () => {
    const creating = create(() => {
      way.swallow();
      setTimeout(() => void breakWay(), 100);
    });
    await isThereOnce((await creating).id);
  });

  it('is waited for while the server has not decided yet', async () => {
    const gate = new Client({ connectionString: env.adminUrl });
    await gate.connect();
    try {
      await gate.query('select pg_advisory_lock($1)', [GATE]);
      await env.query('insert into spec_gate values ($1)', [slug]);
      const creating = create(() => undefined);
      const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ilike $1`;
      const waits = (statement: string) =>
        waitFor(async () => (await env.query(waiting, [`${statement}%`])).length > 0, { what: `${statement} to wait` });
      await waits('commit');
      await breakWay();
      await waits('insert into organizations');
      await env.query('delete from spec_gate');
      await gate.query('select pg_advisory_unlock($1)', [GATE]);
      await isThereOnce((await creating).id);
    } finally {
      await gate.end();
    }
  });
});
