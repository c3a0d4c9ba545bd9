/**
 * A move whose worker is killed at every step, with writers and readers at work: the next worker goes on, or undoes it, and
 * the command that operators give is the same each time.
 */
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createTestEnvironment, freePort, platformModules, type TestEnvironment } from '#libs/testing';
import { MOVE_STEPS } from '#libs/tenant-move';
import { call, createTenant, type RunningApi, startApi, type Tenant } from '../../api/test/support/api-fixture';
import { operationOf, stockyard } from '../../api/test/support/stockyard-command';
import { TenantLoad } from '../../api/test/support/tenant-load';
import { END, StepGate } from './step-gate';
import { WorkerProcess } from './worker-process';

const UNDOABLE = MOVE_STEPS.slice(0, MOVE_STEPS.indexOf('flip'));
const NOTHING_WRONG = { lost: 0, doubled: 0, foreign: 0, uncounted: 0, orders_lost: 0, orders_foreign: 0 };

/** Hooks wait for what a test left under way: on a busy machine a worker alone takes its time to start. */
jest.setTimeout(180_000);

describe('a move whose worker is lost', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let app: INestApplicationContext;
  let gate: StepGate;
  let tenant: Tenant;
  let load: TenantLoad;
  let worker: WorkerProcess | undefined;

  beforeAll(async () => {
    env = await createTestEnvironment({ OPERATION_LEASE_MS: '1500', MOVE_GRACE_MS: '300' }, { shards: 2 });
    gate = await StepGate.build(env);
    api = await startApi(env);
    app = await Test.createTestingModule({ imports: platformModules(env.config) }).compile();
    await app.init();
  });
  beforeEach(async () => {
    tenant = await createTenant(api, env);
    load = new TenantLoad({ app, api, tenant, writers: 2, writesPerSecond: 40, orderers: 1 });
    await load.start();
  });
  afterEach(async () => {
    await worker?.kill('SIGKILL');
    await load.stop();
  });
  afterAll(async () => {
    await gate.dispose();
    await app.close();
    await api.stop();
    await env.dispose();
  });

  const startWorker = async () => {
    worker = await WorkerProcess.start({ ...env.variables, WORKER_PORT: String(await freePort()) });
  };
  const run = (...argv: string[]) => stockyard(env, api, 'move', tenant.id, ...argv);
  const places = () =>
    Promise.all(
      env.shards.map(
        async ({ query }) =>
          (await query<{ state: string }>('select state from tenant_places where tenant = $1', [tenant.id]))[0]?.state,
      ),
    );
  const levels = () =>
    Promise.all(
      env.shards.map(
        async ({ query }) => (await query('select from stock_levels where organization_id = $1', [tenant.id])).length,
      ),
    );
  const shardOf = async () => {
    const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
    return (await call(api, 'GET', `/v1/admin/organizations/${tenant.id}`, { headers })).body as unknown;
  };
  /** A worker reaches the commit that says `step` comes next, and is killed in it. */
  const killAt = async (step: string, record: 'made' | 'lost') => {
    await gate.close(step);
    await startWorker();
    const pid = await gate.waiting();
    await worker!.kill('SIGKILL');
    await gate.open(pid, record);
  };
  const unharmed = async (shard: number) => {
    await load.goesOn(10);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect([...load.refusals.keys()].filter((code) => code !== 'organization_moving')).toEqual([]);
    expect(await load.proof(env.shards[shard]!)).toEqual(NOTHING_WRONG);
  };

  it.each(['made', 'lost'] as const)(
    'is brought to its end by the next worker, whichever step it was lost at (its last record %s)',
    async (record) => {
      const first = run('--to', 'two', '--json');
      await killAt(MOVE_STEPS[0], record);
      const again = run('--to', 'two', '--json');
      for (const step of [...MOVE_STEPS.slice(1), END]) await killAt(step, record);
      await startWorker();
      const [one, other] = await Promise.all([first, again]);
      expect(operationOf(one)).toMatchObject({ state: 'completed', result: { from: 'main' } });
      expect(operationOf(other).id).toBe(operationOf(one).id);
      expect(other.err).toContain('already under way');
      expect(await places()).toEqual(['moved', 'open']);
      expect(await levels()).toEqual([0, 2]);
      expect(await shardOf()).toMatchObject({ shard: 'two', pinned: true });
      await unharmed(1);
    },
    480_000,
  );

  it('is undone by the next worker, whichever step before the flip it was lost at', async () => {
    for (const step of UNDOABLE) {
      const moving = run('--to', 'two');
      await killAt(step, 'made');
      const undone = run('--rollback', '--json');
      await startWorker();
      expect(operationOf(await undone).state).toBe('rolled_back');
      expect(await moving).toMatchObject({ status: 1, err: expect.stringContaining('was rolled back') as unknown });
      await worker!.kill('SIGKILL');
      expect([step, await places(), await levels()]).toEqual([step, ['open', undefined], [2, 0]]);
      await load.goesOn(10);
    }
    expect(await shardOf()).toMatchObject({ shard: 'main', pinned: false });
    await unharmed(0);
  }, 480_000);

  it('takes no second move beside it, and cannot be undone from its flip on', async () => {
    const moving = run('--to', 'two', '--json');
    await killAt('flip', 'made');
    for (const [argv, code] of [
      [['--to', 'main'], 'operation_in_progress'],
      [['--rollback'], 'operation_not_undoable'],
    ] as const) {
      expect(await run(...argv)).toMatchObject({ status: 1, err: expect.stringContaining(`(${code})`) as unknown });
    }
    await startWorker();
    expect(operationOf(await moving).state).toBe('completed');
    expect(await run('--rollback')).toMatchObject({ status: 1, err: expect.stringContaining('(no_move)') as unknown });
    expect(await run('--to', 'two')).toMatchObject({
      status: 1,
      err: expect.stringContaining('(already_there)') as unknown,
    });
    expect(await places()).toEqual(['moved', 'open']);
    await unharmed(1);
  }, 240_000);
});
