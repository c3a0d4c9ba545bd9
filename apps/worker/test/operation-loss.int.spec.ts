/** Workers killed at every step of an operation on a tenant; the next one goes on, and everything is done once. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { newId } from '#libs/kernel';
import { LifecycleModule, type Operation, OperationService } from '#libs/lifecycle';
import { FileStore, StorageModule } from '#libs/storage';
import {
  asTenant,
  createTestEnvironment,
  freePort,
  platformModules,
  type TestEnvironment,
  type TestOrganization,
  waitFor,
} from '#libs/testing';
import { Client } from 'pg';
import { contents, fillRedis, fullTenant, traces } from '../../../libs/lifecycle/test/full-tenant';
import { END, StepGate } from './step-gate';
import { WorkerProcess } from './worker-process';

const STEPS = {
  export: ['dump', 'pack', 'clean_up', END],
  import: ['verify', 'prepare', 'load', 'files', 'open', 'clean_up', END],
  delete: ['fence', 'rows', 'jobs', 'keys', 'files', 'directory', 'prove', END],
} as const;

describe('A worker that is lost in the middle of an operation', () => {
  let env: TestEnvironment;
  let app: INestApplicationContext;
  let operations: OperationService;
  let variables: Record<string, string>;
  let worker: WorkerProcess | undefined;
  let gate: StepGate;

  beforeEach(async () => {
    env = await createTestEnvironment({
      OPERATION_LEASE_MS: '600',
      SHUTDOWN_GRACE_MS: '5000',
      USAGE_RETENTION_MONTHS: '1200', // the tenant brings a month of long ago
      USAGE_FLUSH_MS: '60000', // what a worker itself costs the tenant is not written while the contents are compared
    });
    variables = { ...env.variables, WORKER_PORT: String(await freePort()) };
    app = await Test.createTestingModule({
      imports: [...platformModules(env.config), StorageModule, LifecycleModule],
    }).compile();
    await app.init();
    operations = app.get(OperationService);
    gate = await StepGate.build(env);
  });
  afterEach(async () => {
    await worker?.kill('SIGKILL');
    worker = undefined;
    await gate.dispose();
    await app.close();
    await env.dispose();
  });

  const filledTenant = async (): Promise<TestOrganization> => {
    const tenant = await fullTenant(env, { products: 2_500 });
    await fillRedis(env, tenant);
    await asTenant(app, tenant, () =>
      app.get(FileStore).put('imports/a.csv', bytes(Buffer.from('a')), { maxBytes: 10 }),
    );
    return tenant;
  };
  const request = ({ id }: TestOrganization, kind: 'export' | 'delete') => operations.request(id, { kind }, newId());
  const ended = ({ id }: Operation): Promise<Operation> => {
    const probe = async () => {
      const operation = await operations.get(id);
      return operation.finishedAt ? operation : undefined;
    };
    return waitFor(probe, { what: 'the end of the operation', timeoutMs: 45_000 });
  };
  const filesOf = ({ id }: { id: string }): string[] =>
    readdirSync(join(env.config.STORAGE_DIR, id), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);

  /** The one that is at work, or a new one. */
  const startWorker = async () => (worker ??= await WorkerProcess.start(variables));
  const killWorker = async () => {
    await worker!.kill('SIGKILL');
    worker = undefined;
  };

  /** Two at once are as many as a worker takes: each kill meets both. */
  interface Both<Each> {
    readonly made: Each;
    readonly lost: Each;
  }
  const RECORDS = ['made', 'lost'] as const;
  const both = async <Each>(of: (record: 'made' | 'lost') => Promise<Each>): Promise<Both<Each>> => {
    const [made, lost] = await Promise.all(RECORDS.map(of));
    return { made: made!, lost: lost! };
  };

  /** Kills a worker at each step in turn, and lets a last one bring the operations to their end. */
  async function killAtEveryStep(
    kind: keyof typeof STEPS,
    tenants: Both<TestOrganization>,
    ask: (record: 'made' | 'lost') => Promise<Operation>,
  ): Promise<Both<Operation>> {
    let asked: Both<Operation> | undefined;
    for (const step of STEPS[kind]) {
      const gates = [await gate.close(tenants.made.id, step), await gate.close(tenants.lost.id, step)];
      asked ??= await both(ask);
      await startWorker();
      await Promise.all(gates.map((at) => at.reached()));
      await killWorker();
      for (const [index, record] of RECORDS.entries()) await gates[index]!.open(record);
    }
    await startWorker();
    const ends = await both((record) => ended(asked![record]));
    await killWorker();
    return ends;
  }

  it('is followed by another at every step of export, delete and import, its last record made or lost', async () => {
    const tenants = { made: await filledTenant(), lost: await filledTenant() };
    const neighbour = await fullTenant(env);
    const before = await both((record) => contents(env, tenants[record]));
    const next = await contents(env, neighbour);

    const exported = await killAtEveryStep('export', tenants, (record) => request(tenants[record], 'export'));
    const archives = await both(async (record) => {
      const { id, state } = exported[record];
      expect(state).toBe('completed');
      expect(filesOf(tenants[record]).sort()).toEqual([`${id}.tgz`, 'a.csv'].sort());
      const { stream } = await operations.archive(id);
      return Buffer.concat((await stream.toArray()) as Buffer[]);
    });

    const deleted = await killAtEveryStep('delete', tenants, (record) => request(tenants[record], 'delete'));
    for (const record of RECORDS) {
      expect(deleted[record]).toMatchObject({
        state: 'completed',
        result: { left: { places: 0, jobs: 0, keys: 0, files: 0 } },
      });
      expect(Object.values(await contents(env, tenants[record])).flat()).toEqual([]);
      expect(await traces(env, tenants[record])).toEqual([]);
      expect(() => filesOf(tenants[record])).toThrow('ENOENT');
    }

    const upload = (record: 'made' | 'lost') =>
      operations.import({ content: bytes(archives[record]), requestId: newId() });
    const imported = await killAtEveryStep('import', tenants, upload);
    for (const record of RECORDS) {
      expect(imported[record].state).toBe('completed');
      expect(await contents(env, tenants[record])).toEqual(before[record]);
      expect(filesOf(tenants[record])).toEqual(['a.csv']);
    }
    expect(await contents(env, neighbour)).toEqual(next);
  }, 480_000);

  it('is followed by another in the middle of the rows of export, and of delete', async () => {
    const tenant = await filledTenant();
    const before = await contents(env, tenant);
    for (const kind of ['export', 'delete'] as const) {
      const { operation, release } = await halfWay(tenant, kind);
      await killWorker();
      await release(); // the statement that had been sent goes on behind the dead worker's back
      await startWorker();
      expect((await ended(operation)).state).toBe('completed');
      const nothing = Object.fromEntries(Object.keys(before).map((name) => [name, []]));
      expect(await contents(env, tenant)).toEqual(kind === 'export' ? before : nothing);
    }
  }, 120_000);

  it('hands an operation over when it is stopped, before its lease ends', async () => {
    variables.OPERATION_LEASE_MS = '600000';
    const { operation, release } = await halfWay(await filledTenant(), 'export');
    const gone = worker!.kill('SIGTERM');
    const stopping = async () =>
      !(await fetch(`http://127.0.0.1:${variables.WORKER_PORT}/ready`).catch(() => undefined))?.ok;
    await waitFor(stopping, { what: 'the worker to stop' });
    await release();
    await gone;
    worker = undefined;
    await startWorker();
    expect((await ended(operation)).state).toBe('completed');
  });

  /** A worker that has read or deleted some tables and waits for the next. */
  async function halfWay(
    tenant: TestOrganization,
    kind: 'export' | 'delete',
  ): Promise<{ operation: Operation; release(): Promise<void> }> {
    await startWorker();
    const holder = new Client({ connectionString: env.adminUrl });
    await holder.connect();
    await holder.query('begin; lock table products in access exclusive mode');
    const operation = await request(tenant, kind);
    await blocked();
    const release = async () => {
      await holder.query('rollback');
      await holder.end();
    };
    return { operation, release };
  }

  const blocked = () =>
    waitFor(
      async () => {
        const waiting = await env.query(
          "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        );
        return waiting.length > 0;
      },
      { what: 'a worker to wait', timeoutMs: 45_000 },
    );
});

async function* bytes(all: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < all.length; at += 10_000) yield all.subarray(at, at + 10_000);
}
