/** Several worker processes over many due schedules, some of them killed at it: each tick has one job. */
import { newId } from '#libs/kernel';
import { createOrganization, createTestEnvironment, freePort, type TestEnvironment, waitFor } from '#libs/testing';
import { Client } from 'pg';
import { WorkerProcess } from './worker-process';

const TENANTS = 4;
const SCHEDULES = 200;

describe('Workers that are lost in the middle of schedules', () => {
  let env: TestEnvironment;
  let holder: Client;
  let workers: WorkerProcess[];
  let ids: string[];

  let ticks: number;

  /** It makes the jobs and leaves them to others, so that nothing but ticks waits for the jobs' table. */
  const start = async () =>
    WorkerProcess.start({ ...env.variables, WORKER_PORT: String(await freePort()), WORKER_CLASSES: 'critical' });
  /** Lets the time of every schedule come, a later one each round. */
  const tick = async () => {
    ticks += 1;
    await env.query("update schedules set next_run_at = date_trunc('minute', now()) - make_interval(mins => $1)", [
      100 - 10 * ticks,
    ]);
  };
  const due = async () =>
    (await env.query<{ n: number }>('select count(*)::int as n from schedules where next_run_at <= now()'))[0]!.n;
  const allTaken = () =>
    waitFor(async () => (await due()) === 0, { what: 'every tick to be taken', timeoutMs: 45_000 });
  const jobsEach = async () => {
    const rows = await env.query<{ id: string; n: number }>(
      'select actor_id as id, count(*)::int as n from jobs where actor_id is not null group by actor_id',
    );
    const counts = new Map(rows.map(({ id, n }) => [id, n]));
    return ids.map((id) => counts.get(id) ?? 0);
  };
  /** Waits until that many statements wait for a lock; their backends. */
  const blocked = (count: number) =>
    waitFor(
      async () => {
        const waiting = await env.query<{ pid: number }>(
          "select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        );
        return waiting.length >= count ? waiting.map(({ pid }) => pid) : undefined;
      },
      { what: `${count} ticks to be in the middle`, timeoutMs: 30_000 },
    );

  beforeEach(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50', QUEUE_LOCK_MS: '2000' });
    holder = new Client({ connectionString: env.adminUrl });
    await holder.connect();
    ids = Array.from({ length: SCHEDULES }, newId);
    const payload = { version: 1, data: { resource: 'products', format: 'csv' } };
    for (let index = 0; index < TENANTS; index += 1) {
      const { id: organization } = await createOrganization(env);
      const own = ids.filter((_, at) => at % TENANTS === index);
      await env.query(
        `insert into schedules (organization_id, id, name, cron, time_zone, job_type, payload, next_run_at)
         select $1, id, id::text, '0 0 29 2 *', 'UTC', 'bulk.export', $3, now() + interval '1 hour' from unnest($2::uuid[]) id`,
        [organization, own, payload],
      );
    }
    ticks = 0;
    workers = await Promise.all([start(), start(), start()]);
  }, 120_000);
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
    await holder.end();
    await env.dispose();
  });

  const oneJobEachTick = async () => expect(await jobsEach()).toEqual(ids.map(() => ticks));

  /** Two of the three are killed while they take ticks; what they had sent commits behind their backs, or is cut off. */
  const loseTwo = async (fate: 'commits' | 'is cut off') => {
    await holder.query('begin');
    await holder.query('lock table jobs in share mode'); // whoever takes a tick is stopped before its commit
    await tick();
    const waiting = await blocked(8);
    await Promise.all(workers.splice(0, 2).map((worker) => worker.kill('SIGKILL')));
    if (fate === 'is cut off')
      await env.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [waiting]);
    await holder.query('rollback');
    await allTaken();
    await oneJobEachTick();
    await tick();
    await allTaken();
    await oneJobEachTick();
  };

  it('make one job a tick together, and miss none; also when two of them are lost, whatever comes of what they had sent', async () => {
    for (let round = 1; round <= 3; round += 1) {
      await tick();
      await allTaken();
    }
    await oneJobEachTick();
    await loseTwo('commits');
    workers.push(...(await Promise.all([start(), start()])));
    await loseTwo('is cut off');
    expect(ticks).toBe(7);
  }, 240_000);
});
