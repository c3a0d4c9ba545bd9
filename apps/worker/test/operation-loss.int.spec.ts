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
  let tenant: TestOrganization;
  let neighbour: TestOrganization;
  let worker: WorkerProcess | undefined;
  let gate: StepGate | undefined;

  beforeEach(async () => {
    env = await createTestEnvironment({
      OPERATION_LEASE_MS: '600',
      SHUTDOWN_GRACE_MS: '5000',
      USAGE_RETENTION_MONTHS: '1200', // the tenant brings a month of long ago
    });
    variables = { ...env.variables, WORKER_PORT: String(await freePort()) };
    app = await Test.createTestingModule({
      imports: [...platformModules(env.config), StorageModule, LifecycleModule],
    }).compile();
    await app.init();
    operations = app.get(OperationService);
    [tenant, neighbour] = [await fullTenant(env, { products: 2_500 }), await fullTenant(env)];
    await fillRedis(env, tenant);
    await asTenant(app, tenant, () =>
      app.get(FileStore).put('imports/a.csv', bytes(Buffer.from('a')), { maxBytes: 10 }),
    );
  });
  afterEach(async () => {
    await worker?.kill('SIGKILL');
    await gate?.dispose();
    gate = undefined;
    await app.close();
    await env.dispose();
  });

  const request = (kind: 'export' | 'delete') => operations.request(tenant.id, { kind }, newId());
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

  /** Kills a worker at each step in turn, and lets a last one bring the operation to its end. */
  async function killAtEveryStep(ask: () => Promise<Operation>, record: 'made' | 'lost'): Promise<Operation> {
    const operation = await ask();
    for (const step of STEPS[operation.kind as keyof typeof STEPS]) {
      await gate!.close(step);
      worker = await WorkerProcess.start(variables);
      const pid = await gate!.waiting();
      await worker.kill('SIGKILL');
      await gate!.open(pid, record);
    }
    worker = await WorkerProcess.start(variables);
    const end = await ended(operation);
    await worker.kill('SIGKILL');
    return end;
  }

  it.each(['made', 'lost'] as const)(
    'is followed by another at every step of export, delete and import (its last record %s)',
    async (record) => {
      gate = await StepGate.build(env);
      const before = { own: await contents(env, tenant), neighbour: await contents(env, neighbour) };

      const exported = await killAtEveryStep(() => request('export'), record);
      expect(exported.state).toBe('completed');
      expect(filesOf(tenant).sort()).toEqual([`${exported.id}.tgz`, 'a.csv'].sort());
      const { stream } = await operations.archive(exported.id);
      const archive = Buffer.concat((await stream.toArray()) as Buffer[]);

      const deleted = await killAtEveryStep(() => request('delete'), record);
      expect(deleted).toMatchObject({
        state: 'completed',
        result: { left: { places: 0, jobs: 0, keys: 0, files: 0 } },
      });
      expect(Object.values(await contents(env, tenant)).flat()).toEqual([]);
      expect(await traces(env, tenant)).toEqual([]);
      expect(() => filesOf(tenant)).toThrow('ENOENT');

      const upload = () => operations.import({ content: bytes(archive), requestId: newId() });
      expect((await killAtEveryStep(upload, record)).state).toBe('completed');
      expect(await contents(env, tenant)).toEqual(before.own);
      expect(filesOf(tenant)).toEqual(['a.csv']);
      expect(await contents(env, neighbour)).toEqual(before.neighbour);
    },
    300_000,
  );

  it.each(['export', 'delete'] as const)('is followed by another in the middle of the rows of %s', async (kind) => {
    const before = await contents(env, tenant);
    const { operation, release } = await halfWay(kind);
    await worker!.kill('SIGKILL');
    await release(); // the statement that had been sent goes on behind the dead worker's back
    worker = await WorkerProcess.start(variables);
    expect((await ended(operation)).state).toBe('completed');
    const nothing = Object.fromEntries(Object.keys(before).map((name) => [name, []]));
    expect(await contents(env, tenant)).toEqual(kind === 'export' ? before : nothing);
  });

  it('hands an operation over when it is stopped, before its lease ends', async () => {
    variables.OPERATION_LEASE_MS = '600000';
    const { operation, release } = await halfWay('export');
    const gone = worker!.kill('SIGTERM');
    const stopping = async () =>
      !(await fetch(`http://127.0.0.1:${variables.WORKER_PORT}/ready`).catch(() => undefined))?.ok;
    await waitFor(stopping, { what: 'the worker to stop' });
    await release();
    await gone;
    worker = await WorkerProcess.start(variables);
    expect((await ended(operation)).state).toBe('completed');
  });

  /** A worker that has read or deleted some tables and waits for the next. */
  async function halfWay(kind: 'export' | 'delete'): Promise<{ operation: Operation; release(): Promise<void> }> {
    worker = await WorkerProcess.start(variables);
    const holder = new Client({ connectionString: env.adminUrl });
    await holder.connect();
    await holder.query('begin; lock table products in access exclusive mode');
    const operation = await request(kind);
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
