/**
 * A move whose worker is killed at every step, with writers and readers at work: the next worker goes on, or undoes it, and
 * the command that operators give is the same each time.
 */
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createTestEnvironment, freePort, platformModules, type TestEnvironment, waitFor } from '#libs/testing';
import { MOVE_STEPS } from '#libs/tenant-move';
import { call, createTenant, type RunningApi, startApi, type Tenant } from '../../api/test/support/api-fixture';
import { type Finished, operationOf, stockyard } from '../../api/test/support/stockyard-command';
import { TenantLoad } from '../../api/test/support/tenant-load';
import { END, StepGate } from './step-gate';
import { WorkerProcess } from './worker-process';

const UNDOABLE = MOVE_STEPS.slice(0, MOVE_STEPS.indexOf('flip'));
const NOTHING_WRONG = { lost: 0, doubled: 0, foreign: 0, uncounted: 0, orders_lost: 0, orders_foreign: 0 };

/** Work that never rests would leave the workers, which start again and again, little of the machine. */
const LOAD = { writers: 2, writesPerSecond: 40, orderers: 1, restMs: 50 };
const TIMEOUT_MS = 480_000;

/** A platform of its own with one tenant that is used: a gate that is closed holds up whoever copies a tenant beside it. */
class Site {
  private worker: WorkerProcess | undefined;

  private constructor(
    readonly env: TestEnvironment,
    private readonly gate: StepGate,
    private readonly api: RunningApi,
    private readonly app: INestApplicationContext,
    readonly tenant: Tenant,
    readonly load: TenantLoad,
  ) {}

  static async build(): Promise<Site> {
    const settings = {
      OPERATION_LEASE_MS: '1000',
      MOVE_GRACE_MS: '300',
      ADMISSION_WAIT_MS: '60000', // a busy machine refuses nobody: refusals are those of the move
    };
    const env = await createTestEnvironment(settings, { shards: 2 });
    const gate = await StepGate.build(env);
    const api = await startApi(env);
    const app = await Test.createTestingModule({ imports: platformModules(env.config) }).compile();
    await app.init();
    // What killed workers held of its connections is taken for a while yet.
    const tenant = await createTenant(api, env, 'enterprise', { max_connections: 200 });
    const load = new TenantLoad({ app, api, tenant, ...LOAD });
    await load.start();
    return new Site(env, gate, api, app, tenant, load);
  }

  async dispose(): Promise<void> {
    await this.killWorker();
    await this.load.stop();
    await this.gate.dispose();
    await this.app.close();
    await this.api.stop();
    await this.env.dispose();
  }

  /** The one that is at work, or a new one. */
  async startWorker(): Promise<void> {
    this.worker ??= await WorkerProcess.start({ ...this.env.variables, WORKER_PORT: String(await freePort()) });
  }

  async killWorker(): Promise<void> {
    await this.worker?.kill('SIGKILL');
    this.worker = undefined;
  }

  run(...argv: string[]): Promise<Finished> {
    return stockyard(this.env, this.api, 'move', this.tenant.id, ...argv);
  }

  /** A worker reaches the commit that says `step` comes next, and is killed in it. */
  async killAt(step: string, record: 'made' | 'lost', ask?: () => void): Promise<void> {
    const at = await this.gate.close(this.tenant.id, step);
    ask?.(); // behind the gate: somebody may be at work already
    await this.startWorker();
    await at.reached();
    await this.killWorker();
    await at.open(record);
  }

  /** The command is refused with this code. */
  async refuses(code: string, ...argv: string[]): Promise<void> {
    const err = expect.stringContaining(`(${code})`) as unknown;
    expect(await this.run(...argv)).toMatchObject({ status: 1, err });
  }

  async isRollingBack(): Promise<void> {
    const asked = 'select from tenant_operations where tenant = $1 and rolling_back and finished_at is null';
    const found = async () => (await this.env.query(asked, [this.tenant.id])).length > 0;
    await waitFor(found, { what: 'the command to ask for the way back', timeoutMs: 45_000 });
  }

  places(): Promise<(string | undefined)[]> {
    return Promise.all(
      this.env.shards.map(async ({ query }) => {
        const place = 'select state from tenant_places where tenant = $1';
        return (await query<{ state: string }>(place, [this.tenant.id]))[0]?.state;
      }),
    );
  }

  levels(): Promise<number[]> {
    return Promise.all(
      this.env.shards.map(async ({ query }) => {
        const levels = 'select from stock_levels where organization_id = $1';
        return (await query(levels, [this.tenant.id])).length;
      }),
    );
  }

  async organization(): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.env.config.ADMIN_TOKEN}` };
    return (await call(this.api, 'GET', `/v1/admin/organizations/${this.tenant.id}`, { headers })).body;
  }

  async isUnharmed(shard: number): Promise<void> {
    const { load } = this;
    await load.goesOn(10);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect([...load.refusals.keys()].filter((code) => code !== 'organization_moving')).toEqual([]);
    expect(await load.proof(this.env.shards[shard]!)).toEqual(NOTHING_WRONG);
  }
}

async function withSite(work: (site: Site) => Promise<void>): Promise<void> {
  const site = await Site.build();
  try {
    await work(site);
  } finally {
    await site.dispose();
  }
}

/** Side by side: each spends most of its time waiting, for a worker to start and for the lease of the one before to end. */
describe('a move whose worker is lost', () => {
  it.concurrent.each(['made', 'lost'] as const)(
    'is brought to its end by the next worker, whichever step it was lost at (its last record %s)',
    (record) =>
      withSite(async (site) => {
        const first = site.run('--to', 'two', '--json');
        await site.killAt(MOVE_STEPS[0], record);
        const again = site.run('--to', 'two', '--json');
        for (const step of [...MOVE_STEPS.slice(1), END]) {
          await site.killAt(step, record);
          if (step !== 'flip' || record === 'lost') continue;
          // No second move beside it, and no way back from the flip on.
          await site.refuses('operation_in_progress', '--to', 'main');
          await site.refuses('operation_not_undoable', '--rollback');
        }
        await site.startWorker();
        const [one, other] = await Promise.all([first, again]);
        expect(operationOf(one)).toMatchObject({ state: 'completed', result: { from: 'main' } });
        expect(operationOf(other).id).toBe(operationOf(one).id);
        expect(other.err).toContain('already under way');
        await site.refuses('no_move', '--rollback');
        await site.refuses('already_there', '--to', 'two');
        expect(await site.places()).toEqual(['moved', 'open']);
        expect(await site.levels()).toEqual([0, 2]);
        expect(await site.organization()).toMatchObject({ shard: 'two', pinned: true });
        await site.isUnharmed(1);
      }),
    TIMEOUT_MS,
  );

  it.concurrent(
    'is undone by the next worker, whichever step before the flip it was lost at',
    () =>
      withSite(async (site) => {
        for (const step of UNDOABLE) {
          // Whoever has undone it is the next to be lost.
          let moving!: Promise<Finished>;
          await site.killAt(step, 'made', () => {
            moving = site.run('--to', 'two');
          });
          const undone = site.run('--rollback', '--json');
          await site.isRollingBack();
          await site.startWorker();
          expect(operationOf(await undone).state).toBe('rolled_back');
          const err = expect.stringContaining('was rolled back') as unknown;
          expect(await moving).toMatchObject({ status: 1, err });
          expect([step, await site.places(), await site.levels()]).toEqual([step, ['open', undefined], [2, 0]]);
          await site.load.goesOn(10);
        }
        expect(await site.organization()).toMatchObject({ shard: 'main', pinned: false });
        await site.isUnharmed(0);
      }),
    TIMEOUT_MS,
  );
});
