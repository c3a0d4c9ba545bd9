/** A server that falls silent at the worst of times: behind a commit, and while a flight waits for a connection to it. */
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { ConsistencyScope, TenancyModule, TenantContextHolder } from '#libs/tenancy';
import {
  createOrganization,
  createTestEnvironment,
  type TestEnvironment,
  type TestOrganization,
  waitFor,
  Way,
} from '#libs/testing';
import { DatabaseModule } from '../database.module';
import { tenantStatement } from '../lanes/statement';
import { Shards } from '../shards/shards.service';
import { TenantDatabase } from '../tenant-database';
import { WallGuard } from '../wall/wall-guard.service';
import { NodeFlights } from './node-flights';

const ANSWER_MS = 1_000;
const insert = tenantStatement(
  'lost_insert',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)',
);
const SILENT = { name: '', text: 'select pg_sleep(60)', values: [] };
const FAILING = { name: '', text: 'select 1 / 0', values: [] };
const ONE = { name: '', text: "select 'one' as answer", values: [] };

describe('an answer that is lost', () => {
  let env: TestEnvironment;
  let way: Way;
  let app: TestingModule;
  let tenant: TestOrganization;

  const open = async (variables: Readonly<Record<string, string>> = {}) => {
    const config = loadConfig({ ...env.variables, DATABASE_ANSWER_TIMEOUT_MS: String(ANSWER_MS), ...variables });
    const imports = [
      ConfigModule.forRoot(config),
      TenancyModule,
      DatabaseModule.forRoot({ config, applicationName: 'spec' }),
    ];
    return (await Test.createTestingModule({ imports }).compile()).init();
  };

  const inScope = <T>(consistency: ConsistencyScope, work: (database: TenantDatabase) => Promise<T>) => {
    const actor = { type: 'system', id: null } as const;
    const context = {
      organizationId: tenant.id,
      actor,
      permissions: new Set<never>(),
      requestId: newId(),
      consistency,
    };
    return app.get(TenantContextHolder).run(context, () => work(app.get(TenantDatabase)));
  };

  const send = (tail: typeof ONE) => {
    const shard = app.get(Shards).home();
    const plan = { shard, node: shard.requirePrimary(), statements: [ONE], tail, isRead: false };
    return app.get(NodeFlights).send(plan);
  };

  beforeAll(async () => {
    env = await createTestEnvironment();
    tenant = await createOrganization(env);
    way = new Way(env.adminUrl);
    await way.open();
    app = await open({ DATABASE_URL: way.url, DATABASE_REPLICA_URLS: '' });
  });

  afterAll(async () => {
    jest.restoreAllMocks();
    await app.close();
    await way.cut();
    await env.dispose();
  });

  it.each([
    ['silent', SILENT],
    ['failing', FAILING],
  ])('behind a %s tail is the answer of the flight itself, and the next flight is answered too', async (_, tail) => {
    const { results, tail: answer } = await send(tail);
    expect(results[0]!.rows).toEqual([{ answer: 'one' }]);
    expect(answer).toBeUndefined();
    expect((await send(ONE)).tail?.rows).toEqual([{ answer: 'one' }]);
  });

  it.each(['statement', 'write'] as const)('of a %s’s position is asked for once more', async (lane) => {
    const flights = app.get(NodeFlights);
    const fly = flights.fly.bind(flights);
    jest.spyOn(flights, 'fly').mockImplementation((client, plan) => {
      const statements = plan.statements.map((each) =>
        each.afterCommit ? { ...FAILING, afterCommit: true as const } : each,
      );
      return fly(client, { ...plan, statements, ...(plan.tail && { tail: FAILING }) });
    });
    const scope = new ConsistencyScope();
    const [before] = await env.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
    const statement = insert(newId(), lane);
    await inScope(scope, (database) =>
      lane === 'statement'
        ? database.statement(statement)
        : database.write((manager) => manager.query(statement.text, [tenant.id, ...statement.values])),
    );
    jest.restoreAllMocks();
    const later = 'select pg_wal_lsn_diff($1, $2) > 0 as is_later';
    const { position } = scope.newest!;
    const lsn = `${position.slice(0, 8)}/${position.slice(8)}`;
    expect(await env.query(later, [lsn, before!.lsn])).toEqual([{ is_later: true }]);
    expect(
      await env.query('select 1 from locations where organization_id = $1 and code = $2', [tenant.id, lane]),
    ).toHaveLength(1);
  });

  it('sends the caller to the primary for good where nobody says a position', async () => {
    const flights = app.get(NodeFlights);
    const fly = flights.fly.bind(flights);
    jest
      .spyOn(flights, 'fly')
      .mockImplementation((client, plan) => fly(client, { ...plan, ...(plan.tail && { tail: FAILING }) }));
    jest.spyOn(flights, 'position').mockResolvedValue(undefined);
    const scope = new ConsistencyScope();
    await inScope(scope, (database) => database.statement(insert(newId(), 'NOBODY')));
    jest.restoreAllMocks();
    expect(scope.newest!.position).toBe('F'.repeat(16));
  });

  it('of a server that takes no new connection ends when the node is found dead, not when the pool gives up', async () => {
    const slow = await open({ DATABASE_URL: way.url, DATABASE_REPLICA_URLS: '', DATABASE_POOL_WAIT_MS: '60000' });
    try {
      const shard = slow.get(Shards).home();
      const node = shard.requirePrimary();
      const idle = await node.pool('app').connect(); // the one that proved the wall
      way.swallow();
      const began = performance.now();
      const sending = slow.get(NodeFlights).send({ shard, node, statements: [ONE], isRead: false });
      await expect(sending).rejects.toThrow('Connection terminated');
      expect(performance.now() - began).toBeLessThan(30_000);
      idle.release(true);
    } finally {
      await way.cut();
      await way.open();
      await slow.close();
    }
  }, 90_000);

  it('leaves one proof of the wall under way, however many wait for it', async () => {
    await waitFor(() => app.get(Shards).home().primary !== undefined, { what: 'the primary to be found again' });
    const shards = app.get(Shards);
    const pool = jest.spyOn(shards, 'pool');
    const guard = app.get(WallGuard);
    await Promise.all(Array.from({ length: 50 }, () => guard.prove(shards.home())));
    const alone = pool.mock.calls.length;
    pool.mockClear();
    await guard.prove(shards.home());
    expect(alone).toBe(pool.mock.calls.length);
  });
});
