/**
 * Order: writers that take the aggregate's row lock one after another, relays in processes of their own that are killed at random.
 * What stands in the queue at the end says in which order it was filled.
 */
import { newId } from '#libs/kernel';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { Queue } from 'bullmq';
import { Client } from 'pg';
import { HAPPENED, HAPPENED_CLASS } from '../../test/happened';
import { KillableProcess } from '../../test/killable-process';
import { queuePrefix } from '..';

const AGGREGATES = 24;
const WRITERS = 6;
const EVENTS_PER_WRITER = 250;
const RELAYS = 3;
const KILLS = 8;

/** Beside the tenants' tables: the platform refuses to run with one that has no wall. */
const TABLE = 'spec.happened';
const COUNT = `update ${TABLE} set n = n + 1 where aggregate = $1 returning n, organization_id`;
const INSERT = `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
  select organization_id, $2, '${HAPPENED}', 'thing', $1, jsonb_build_object('n', n)`;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('The order of an aggregate’s events', () => {
  let env: TestEnvironment;
  let queue: Queue;
  let relays: KillableProcess[] = [];

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '20' });
    await env.query('create schema spec');
    await env.query(
      `create table ${TABLE} (aggregate uuid primary key, organization_id uuid not null, n int not null)`,
    );
    queue = new Queue(HAPPENED_CLASS, {
      connection: { url: env.config.REDIS_URL },
      prefix: queuePrefix(env.config, HAPPENED_CLASS),
      skipVersionCheck: true,
    });
  });
  afterEach(() => Promise.all(relays.map((relay) => relay.kill()))); // or they publish what the next one writes
  afterAll(async () => {
    await queue.close();
    await env.dispose();
  });

  /** An id is made first, as the application does; then the row is locked, and the event written. */
  async function write(client: Client, aggregates: readonly string[]): Promise<void> {
    const aggregate = aggregates[Math.floor(Math.random() * aggregates.length)]!;
    const id = newId();
    if (Math.random() < 0.5) {
      await client.query(`with counted as (${COUNT}) ${INSERT} from counted`, [aggregate, id]);
      return;
    }
    await client.query('begin');
    await client.query(COUNT, [aggregate]);
    if (Math.random() < 0.2) await pause(Math.random() * 5);
    await client.query(`${INSERT} from ${TABLE} where aggregate = $1`, [aggregate, id]);
    await client.query(Math.random() < 0.1 ? 'rollback' : 'commit');
  }

  it('is that of their commits, whichever relay publishes them and whichever dies', async () => {
    const tenants = await Promise.all([1, 2, 3].map(() => createOrganization(env)));
    const aggregates = Array.from({ length: AGGREGATES }, () => newId());
    for (const [index, aggregate] of aggregates.entries())
      await env.query(`insert into ${TABLE} values ($1, $2, 0)`, [aggregate, tenants[index % tenants.length]!.id]);

    const start = () => KillableProcess.start('relay-process', env.variables);
    relays = await Promise.all(Array.from({ length: RELAYS }, start));
    const writing = Promise.all(
      Array.from({ length: WRITERS }, async () => {
        const client = new Client({ connectionString: env.adminUrl });
        await client.connect();
        for (let event = 0; event < EVENTS_PER_WRITER; event += 1) {
          await write(client, aggregates);
          await pause(Math.random() * 20);
        }
        await client.end();
      }),
    );
    for (let kill = 0; kill < KILLS; kill += 1) {
      await pause(100 + Math.random() * 500);
      const victim = Math.floor(Math.random() * RELAYS);
      await relays[victim]!.kill();
      relays[victim] = await start();
    }
    await writing;
    const waiting = () => env.query('select from outbox where published_at is null');
    await waitFor(async () => (await waiting()).length === 0, { what: 'the outbox to be empty', timeoutMs: 30_000 });

    const found = new Map<string, number[]>(aggregates.map((aggregate) => [aggregate, []]));
    for (const { data } of await queue.getPrioritized()) found.get(data.aggregate as string)!.push(data.n as number);
    const counts = await env.query<{ aggregate: string; n: number }>(`select aggregate, n from ${TABLE}`);
    const inOrder = counts.map(({ aggregate, n }) => [aggregate, Array.from({ length: n }, (_, at) => at + 1)]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(inOrder));
  }, 120_000);

  it('goes on behind what a tenant brought along from another shard', async () => {
    const { id } = await createOrganization(env);
    const event = (seq: string) =>
      env.query<{ seq: string }>(
        `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload, seq)
         values ($1, $2, 'test.nothing', 'thing', $1, '{}', ${seq}) returning seq`,
        [id, newId()],
      );
    const [brought] = await event('(select last_value + 5000000 from outbox_order)');
    await env.query('select continue_outbox($1)', [id]);
    const [next] = await event('default');
    expect(Number(next!.seq)).toBeGreaterThan(Number(brought!.seq));
    await env.query('select continue_outbox($1)', [id]);
    const [later] = await event('default');
    expect(Number(later!.seq) - Number(next!.seq)).toBeLessThan(100); // nothing to leap over
  });
});
