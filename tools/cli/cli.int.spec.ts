/** The command line as a person runs it: against an api and workers of their own processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '#libs/kernel';
import { createTestEnvironment, freePort, type TestEnvironment, waitFor } from '#libs/testing';
import {
  type Answer,
  call,
  createTenant,
  type RunningApi,
  startApi,
  stockedProduct,
  type Tenant,
} from '../../apps/api/test/support/api-fixture';
import { WorkerProcess } from '../../apps/worker/test/worker-process';

interface Finished {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

const PROGRAM = join(process.cwd(), 'dist/tools/cli/main.js');

describe('npm run stockyard -- tenant …', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: WorkerProcess;
  let directory: string;

  beforeAll(async () => {
    if (!existsSync(PROGRAM)) throw new Error('dist is missing: run `npm run build` first.');
    env = await createTestEnvironment({ OPERATION_LEASE_MS: '1000' });
    directory = mkdtempSync(join(tmpdir(), 'stockyard-cli-'));
    api = await startApi(env);
    worker = await startWorker();
  });
  afterAll(async () => {
    await worker.kill('SIGKILL');
    await api.stop();
    await env.dispose();
    rmSync(directory, { recursive: true, force: true });
  });

  async function startWorker(): Promise<WorkerProcess> {
    return WorkerProcess.start({ ...env.variables, WORKER_PORT: String(await freePort()) });
  }

  const start = (...argv: string[]) => startOn('tenant', ...argv);
  const startOn = (noun: string, ...argv: string[]) => {
    const args = [PROGRAM, noun, ...argv, '--api', api.url, '--admin-token', env.config.ADMIN_TOKEN];
    return spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const finished = async (child: ReturnType<typeof start>): Promise<Finished> => {
    let [out, err] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (err += text.toString()));
    await once(child, 'close');
    return { status: child.exitCode, out, err };
  };
  const stockyard = (...argv: string[]): Promise<Finished> => finished(start(...argv));
  const jobs = (...argv: string[]): Promise<Finished> => finished(startOn('jobs', ...argv));
  const json = <T>({ status, out, err }: Finished): T => {
    if (status !== 0) throw new Error(err);
    return JSON.parse(out) as T;
  };
  const admin = (method: string, path: string, body?: unknown): Promise<Answer> =>
    call(api, method, `/v1/admin${path}`, { headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` }, body });
  const levels = (tenant: Tenant) => tenant.call(api, 'GET', '/v1/stock_levels');
  const resumed = (tenant: Tenant) => async () => (await levels(tenant)).status === 200;

  it('compares stock with its movements, and repairs', async () => {
    const tenant = await createTenant(api, env);
    const { id, sku } = await stockedProduct(api, tenant, 10);
    await env.query('update stock_levels set held = held + 3 where organization_id = $1 and product_id = $2', [
      ...[tenant.id, id],
    ]);
    const found = await stockyard('reconcile', tenant.slug);
    expect(found).toMatchObject({ status: 0 });
    expect(found.out).toBe(`1 levels, 1 differ, 0 repaired.\n${sku}  MAIN  on hand 13, moved 10\n`);
    type Reconciled = { reconciled: { differences: number; repaired: number } };
    const repaired = json<Reconciled>(await stockyard('reconcile', tenant.slug, '--repair', '--json'));
    expect(repaired.reconciled).toMatchObject({ differences: 1, repaired: 1 });
    expect((await stockyard('reconcile', tenant.slug)).out).toBe('1 levels, 0 differ, 0 repaired.\n');
  });

  it('creates, suspends and resumes', async () => {
    const slug = `cli-${newId()}`;
    const made = json<{ organization: { id: string } }>(
      await stockyard('create', '--slug', slug, '--name', 'By hand', '--tier', 'starter', '--json'),
    );
    const suspended = await stockyard('suspend', slug);
    expect(suspended).toMatchObject({
      status: 0,
      out: `${slug}  ${made.organization.id}  suspended  starter  epoch 2\n`,
    });
    expect((await stockyard('resume', made.organization.id)).out).toContain('active');
    expect((await stockyard('show', slug, '--json')).out).toContain('"state":"active"');
  });

  it('exports, deletes with a proof, and brings back a tenant whose keys and stock work as before', async () => {
    const tenant = await createTenant(api, env);
    await stockedProduct(api, tenant, 7);
    const before = (await levels(tenant)).body as unknown;
    const file = join(directory, 'mine.tar.gz');

    const exported = await stockyard('export', tenant.slug, '--out', file);
    expect(exported).toMatchObject({ status: 0, out: expect.stringContaining(`Exported to ${file}`) as unknown });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await stockyard('import', file)).toMatchObject({
      status: 1,
      err: expect.stringContaining('organization_exists') as unknown,
    });

    const deleted = await stockyard('delete', tenant.slug);
    expect(deleted).toMatchObject({ status: 0, out: expect.stringContaining('nothing is left') as unknown });
    expect(deleted.out).toMatch(/^rows main\.products +1 +0$/m);
    expect(deleted.err).toContain('delete: completed');
    await waitFor(async () => (await levels(tenant)).status === 401, { what: 'the key to be refused' });

    const imported = json<{ operation: { organization_id: string } }>(await stockyard('import', file, '--json'));
    expect(imported.operation.organization_id).toBe(tenant.id);
    await waitFor(resumed(tenant), { what: 'the key to work again' });
    expect((await levels(tenant)).body).toEqual(before);
  });

  it('refuses damaged and foreign files, unknown tenants and shards, with one line and status 1', async () => {
    const tenant = await createTenant(api, env);
    const file = join(directory, 'good.tar.gz');
    await stockyard('export', tenant.slug, '--out', file);
    const good = readFileSync(file);
    const damaged = join(directory, 'damaged.tar.gz');
    writeFileSync(damaged, good.subarray(0, 200));
    const text = join(directory, 'text.tar.gz');
    writeFileSync(text, 'no archive at all');
    for (const [argv, code] of [
      [['import', damaged], 'archive_damaged'],
      [['import', text], 'archive_damaged'],
      [['export', `nobody-${newId()}`], 'not_found'],
      [['delete', newId()], 'not_found'],
      [['move', tenant.id, '--to', 'nowhere'], 'unknown_shard'],
      [['move', tenant.id, '--to', 'main'], 'already_there'],
      [['move', tenant.id, '--rollback'], 'no_move'],
      [['create', '--slug', tenant.slug, '--name', 'Again'], 'slug_taken'],
    ] as const) {
      const { status, out, err } = await stockyard(...argv);
      expect({ argv, status, out, err }).toEqual({
        argv,
        status: 1,
        out: '',
        err: expect.stringContaining(`(${code})\n`) as unknown,
      });
    }
    expect((await stockyard('import', join(directory, 'missing.tar.gz'))).status).toBe(1);
    expect((await stockyard('shred', tenant.id)).status).toBe(2);
    expect((await admin('GET', `/organizations/${tenant.id}`)).body).toMatchObject({ state: 'active' });
  });

  it('lists dead letters, replays one or all of a type, and discards', async () => {
    const tenant = await createTenant(api, env);
    const ids = [newId(), newId(), newId()];
    await env.query(
      `insert into jobs (organization_id, id, type, class, payload, actor_type)
       select $1, id, 'nobody.handles', 'low', '{"version": 1}', 'system' from unnest($2::uuid[]) id`,
      [tenant.id, ids],
    );
    await env.query(
      `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
       select $1, id, 'job.queued', 'job', id,
         jsonb_build_object('job_id', id, 'organization_id', $1::uuid, 'type', 'nobody.handles', 'version', 1)
       from unnest($2::uuid[]) id`,
      [tenant.id, ids],
    );
    interface Listed {
      letters: { id: string; job_id: string }[];
    }
    const listed = () =>
      waitFor(
        async () => {
          const { letters } = json<Listed>(await jobs('dead-letters', tenant.slug, '--json'));
          return letters.length === 3 ? letters : undefined;
        },
        { what: 'the letters', timeoutMs: 20_000 },
      );
    const [first] = await listed();
    expect((await jobs('dead-letters')).out).toMatch(
      new RegExp(`^${tenant.id}  nobody\\.handles  3  since .*  main$`, 'm'),
    );
    expect((await jobs('dead-letters', tenant.id, '--limit', '1')).out).toMatch(
      /^\S+ {2}nobody\.handles .* after 0 runs: .* \(unknown_job_type\)\nThere are more/,
    );
    expect(await jobs('replay', tenant.slug, first!.id)).toMatchObject({
      status: 0,
      out: `Job ${first!.job_id} is queued.\n`,
    });
    expect(await jobs('replay', tenant.slug, first!.id)).toMatchObject({
      status: 1,
      err: expect.stringContaining('(not_found)') as unknown,
    });
    expect((await listed()).map(({ id }) => id)).not.toContain(first!.id); // a new letter: nothing has changed for the job
    const all = await jobs('replay', tenant.slug, '--type', 'nobody.handles');
    expect(all).toMatchObject({ status: 0, out: expect.stringMatching(/^[3-9]\d* replayed\.\n$/) as unknown });
    for (const { id } of await listed())
      expect(await jobs('discard', tenant.slug, id)).toMatchObject({ status: 0, out: `Discarded ${id}.\n` });
    expect((await jobs('dead-letters', tenant.slug)).out).toBe('No dead letters.\n');
  });

  it('goes on with the operation under way when the same command is given again', async () => {
    const tenant = await createTenant(api, env);
    await worker.kill('SIGKILL'); // nobody takes the operation for now
    const first = start('export', tenant.id, '--out', join(directory, 'first.tar.gz'));
    await waitFor(
      async () =>
        ((await admin('GET', `/operations?organization_id=${tenant.id}`)).body as { data: unknown[] }).data.length ===
        1,
      { what: 'the operation to be queued' },
    );
    first.kill('SIGKILL');
    expect(await stockyard('delete', tenant.id)).toMatchObject({
      status: 1,
      err: expect.stringContaining('operation_in_progress') as unknown,
    });
    const second = finished(start('export', tenant.id, '--out', join(directory, 'second.tar.gz')));
    worker = await startWorker();
    expect(await second).toMatchObject({ status: 0, err: expect.stringContaining('already under way') as unknown });
    const { data } = (await admin('GET', `/operations?organization_id=${tenant.id}`)).body as { data: unknown[] };
    expect(data).toHaveLength(1);
    expect(existsSync(join(directory, 'second.tar.gz'))).toBe(true);
  });
});
