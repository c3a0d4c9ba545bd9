import { Shards } from '#libs/database';
import { closed, newId, shape } from '#libs/kernel';
import { Directory } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { Queue } from 'bullmq';
import { type WorkerUnderTest, workerUnderTest } from '../../test/worker-under-test';
import { defineJob, JobService, type OutboxMessage, queuePrefix, type QueuedWork, TopicRegistry } from '..';
import { JobProducer } from './job-producer';
import { OutboxRelay } from './outbox-relay';
import { RelayMetrics } from './relay-metrics';
import { OutboxRepository } from './outbox.repository';

const NOTE = defineJob({ type: 'test.note', class: 'low', version: 1, payload: shape(closed({})) });

/** Adds, and then fails as a relay that dies before it could mark the rows. */
class DyingProducer {
  constructor(
    private readonly producer: JobProducer,
    private deaths: number,
  ) {}

  async add(works: readonly QueuedWork[]): Promise<void> {
    await this.producer.add(works);
    if (this.deaths-- > 0) throw new Error('died between adding and marking');
  }
}

describe('Outbox relay', () => {
  let env: TestEnvironment;
  let worker: WorkerUnderTest;
  let queue: Queue;
  let others: Shards[];
  const organizations: string[] = [];

  /** The outbox as another process sees it: pools of its own. */
  const repository = async (): Promise<OutboxRepository> => {
    const shards = new Shards(env.config, 'another-relay');
    others.push(shards);
    await shards.onModuleInit();
    return new OutboxRepository(shards);
  };
  const relay = async (deaths = 0): Promise<OutboxRelay> => {
    const outbox = await repository();
    const producer = new DyingProducer(worker.app.get(JobProducer), deaths) as unknown as JobProducer;
    const [topics, directory] = [worker.app.get(TopicRegistry), worker.app.get(Directory)];
    return new OutboxRelay(outbox, producer, topics, directory, new RelayMetrics(), env.config);
  };
  const drain = async (started: Promise<OutboxRelay>): Promise<number> => {
    const one = await started;
    let sum = 0;
    for (let published = 1; published > 0; sum += published) published = await one.relayOnce().catch(() => 1);
    return sum;
  };
  const waiting = async () =>
    (await env.query<{ n: number }>('select count(*)::int as n from outbox where published_at is null'))[0]!.n;
  const write = async (jobs: number) => {
    const ids: string[] = [];
    for (let index = 0; index < jobs; index += 1) {
      const organizationId = organizations[index % organizations.length]!;
      const create = () => worker.app.get(JobService).create({ definition: NOTE, payload: {} });
      ids.push((await worker.asTenant(organizationId, create)).id);
    }
    return ids.map((id) => `job-${id}`).sort();
  };
  const queued = async () => (await queue.getPrioritized()).map((job) => job.id).sort();

  beforeAll(async () => {
    env = await createTestEnvironment();
    for (let index = 0; index < 3; index += 1) organizations.push((await createOrganization(env)).id);
    worker = await workerUnderTest({ config: env.config, jobs: [NOTE], handlers: [] }); // never started: nothing runs
    queue = new Queue(NOTE.class, {
      connection: { url: env.config.REDIS_URL },
      prefix: queuePrefix(env.config, NOTE.class),
    });
  });
  afterAll(async () => {
    await queue.close();
    await worker.close();
    await env.dispose();
  });
  beforeEach(async () => {
    others = [];
    await queue.drain();
  });
  afterEach(() => Promise.all(others.map((shards) => shards.onApplicationShutdown())));

  it('publishes each row once when four relays run beside each other', async () => {
    const expected = await write(900);
    const published = await Promise.all([relay(), relay(), relay(), relay()].map(drain));
    expect(await queued()).toEqual(expected);
    expect(await waiting()).toBe(0);
    expect(published.filter((count) => count > 0).length).toBeGreaterThan(1);
  });

  it('makes one job of a row although relays die between adding and marking', async () => {
    const expected = await write(300);
    await Promise.all([relay(2), relay(1), relay(0)].map(drain));
    expect(await queued()).toEqual(expected);
    expect(await waiting()).toBe(0);
  });

  it('holds back what is behind a row that another relay has, until that one is published or free again', async () => {
    const repositories = await Promise.all([repository(), repository()]);
    const [organization] = organizations;
    const [same, other] = [newId(), newId()];
    const [last, first] = [newId(), newId()].reverse(); // ids against the order of writing
    for (const [id, aggregate] of [
      [last, same],
      [newId(), other],
      [first, same],
    ])
      await env.query(
        `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
         values ($1, $2, 'test.unheard', 'x', $3, '{}')`,
        [organization, id, aggregate],
      );
    const seen: string[][] = [];
    const publish = async (messages: readonly OutboxMessage[]) => {
      seen.push(messages.map(({ aggregateId }) => aggregateId));
    };
    const [one, two] = repositories;
    const failed = one.publishNext('main', 1, async () => {
      expect(await two.publishNext('main', 10, publish)).toEqual({ rows: 1, behind: 1 });
      throw new Error('not published');
    });
    await expect(failed).rejects.toThrow('not published');
    expect(await two.publishNext('main', 10, publish)).toEqual({ rows: 2, behind: 0 });
    expect(seen).toEqual([[other], [same, same]]);
    expect(await waiting()).toBe(0);
  });

  it('marks rows of topics that nobody consumes, and passes what it cannot read', async () => {
    const [organization] = organizations;
    for (const [topic, payload] of [
      ['order.allocated', { order_id: newId() }],
      ['job.queued', { nonsense: true }],
    ] as const) {
      await env.query(
        `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
         values ($1, $2, $3, 'x', $2, $4)`,
        [organization, newId(), topic, JSON.stringify(payload)],
      );
    }
    const expected = await write(1);
    await drain(relay());
    expect(await waiting()).toBe(0);
    expect(await queued()).toEqual(expected);
  });

  it('sees nothing of the tenants but their outbox', async () => {
    const client = await env.connectAs('relay');
    try {
      await expect(client.query('select * from jobs')).rejects.toThrow('permission denied');
      await expect(client.query('select * from products')).rejects.toThrow('permission denied');
    } finally {
      await client.end();
    }
  });
});
