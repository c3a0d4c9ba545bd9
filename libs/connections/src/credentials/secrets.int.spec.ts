/** Secrets of connections when the platform's own secret changes, and where they are copied to. */
import { loadConfig } from '#libs/config';
import { createTestEnvironment, ReferenceFeed, type TestEnvironment } from '#libs/testing';
import { type WorkerUnderTest } from '../../../queues/test/worker-under-test';
import { openSyncWorker, rows, SYNC_VARIABLES, Syncing } from '../../test/syncing';
import { ConnectionService } from '../connection.service';
import { ResealTask } from './reseal.task';

const [OLD, NEW] = ['the-old-secret-of-the-platform', 'the-new-secret-of-the-platform'];

describe('Secrets of connections', () => {
  let env: TestEnvironment;
  let tenant: Syncing;
  const feed = new ReferenceFeed();
  const open: WorkerUnderTest[] = [];

  const under = async (variables: Record<string, string>): Promise<WorkerUnderTest> => {
    const worker = await openSyncWorker(loadConfig({ ...env.variables, ...variables }));
    open.push(worker);
    worker.start();
    return worker;
  };
  const closeAll = async () => {
    for (const worker of open.splice(0)) await worker.close();
  };
  const create = (worker: WorkerUnderTest) =>
    worker.asTenant(tenant.organization, () =>
      worker.app.get(ConnectionService).create({
        ...{ name: 'shop', url: feed.url, bearer_token: 'hush', headers: { 'X-Key': 'hush too' } },
      }),
    );
  const reseal = (worker: WorkerUnderTest) =>
    worker.asTenant(tenant.organization, () => worker.app.get(ResealTask, { strict: false }).run());
  const synced = async (worker: WorkerUnderTest, id: string) => {
    feed.calls.length = 0;
    const job = await tenant.sync(worker, id);
    return { job, sent: feed.calls[0]?.headers };
  };

  beforeAll(async () => {
    env = await createTestEnvironment(SYNC_VARIABLES);
    await feed.start();
    feed.rows.push(...rows(1));
  });
  beforeEach(async () => {
    tenant = await Syncing.of(env, 1);
  });
  afterEach(closeAll);
  afterAll(async () => {
    await feed.stop();
    await env.dispose();
  });

  it('are read after a change of it, sealed anew by the upkeep, and then need the former one no more', async () => {
    const { id } = await create(await under({ MESSAGING_SECRET: OLD }));
    const before = await tenant.connection(id);
    await closeAll();
    const changing = await under({ MESSAGING_SECRET: NEW, MESSAGING_SECRET_BEFORE: OLD });
    expect((await synced(changing, id)).sent).toMatchObject({ authorization: 'Bearer hush', 'x-key': 'hush too' });
    await reseal(changing);
    const after = await tenant.connection(id);
    expect(after.credentials_key).not.toBe(before.credentials_key);
    await reseal(changing);
    expect(await tenant.connection(id)).toEqual(after);
    await closeAll();
    expect((await synced(await under({ MESSAGING_SECRET: NEW }), id)).sent).toMatchObject({ 'x-key': 'hush too' });
  });

  it('that cannot be read fail the sync with a word that helps, before anything is asked', async () => {
    const { id } = await create(await under({ MESSAGING_SECRET: OLD }));
    await closeAll();
    const stranger = await under({ MESSAGING_SECRET: NEW });
    await reseal(stranger); // leaves alone what it cannot read
    const { job, sent } = await synced(stranger, id);
    expect(job).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'secret_unreadable' } });
    expect(job.error!.message).toMatch(/enter it again/);
    expect(sent).toBeUndefined();
    await stranger.asTenant(tenant.organization, () =>
      stranger.app.get(ConnectionService).update(id, undefined, { bearer_token: 'new', headers: null }),
    );
    expect((await synced(stranger, id)).sent).toMatchObject({ authorization: 'Bearer new' });
  });

  it('do not open in another connection, nor in another organization', async () => {
    const worker = await under({ MESSAGING_SECRET: OLD });
    const { id } = await create(worker);
    const [row] = await env.query<Record<string, unknown>>(
      'select credentials, credentials_key, has_bearer_token from connections where id = $1',
      [id],
    );
    const copied = await tenant.connect(feed.url, row);
    expect((await synced(worker, copied)).job.error).toMatchObject({ code: 'secret_unreadable' });
    const thief = await Syncing.of(env, 1);
    const taken = await thief.connect(feed.url, { ...row!, id });
    expect((await thief.sync(worker, taken)).error).toMatchObject({ code: 'secret_unreadable' });
  });
});
