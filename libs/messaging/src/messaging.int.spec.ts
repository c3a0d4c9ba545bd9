import { setTimeout as delay } from 'node:timers/promises';
import { Controller, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type AppConfig, ConfigModule } from '#libs/config';
import { newId, StockyardError, SystemClock } from '#libs/kernel';
import { Directory, type Organization, type Whereabouts } from '#libs/tenancy';
import { createTestEnvironment, LocalRedis, startLocalRedis, type TestEnvironment, waitFor } from '#libs/testing';
import { Redis } from 'ioredis';
import { EnvelopeCodec } from './envelope';
import {
  listenToMessages,
  MessagingModule,
  MessagingStatistics,
  OnQuestion,
  PlatformEvents,
  PlatformQuestions,
} from '.';
import type { Questions } from './platform-questions';

const SOME_ORGANIZATION = newId();
const UNKNOWN_ORGANIZATION = newId();
const [SLOW_ORGANIZATION, FAULTY_ORGANIZATION] = [newId(), newId()];
const PERIOD = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };

/** A directory that only remembers what it was told to forget. */
class ForgetfulDirectory extends Directory {
  readonly forgotten: string[] = [];

  override find(): Promise<Organization | undefined> {
    return Promise.resolve(undefined);
  }

  override whereabouts(): Promise<Whereabouts> {
    return Promise.resolve({ organization: undefined, movedTo: undefined });
  }

  override locate(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  override findBySlug(): Promise<Organization | undefined> {
    return Promise.resolve(undefined);
  }

  override forget(organizationId: string): void {
    this.forgotten.push(organizationId);
  }

  override async *all(): AsyncIterable<Organization> {}
}

@Controller()
class Answers {
  @OnQuestion('usage.summary')
  async usage(asked: Questions['usage.summary']['asks']): Promise<Questions['usage.summary']['answers']> {
    if (asked.organization_id === SLOW_ORGANIZATION || asked.organization_id === FAULTY_ORGANIZATION) await delay(100);
    if (asked.organization_id === UNKNOWN_ORGANIZATION) {
      throw new StockyardError({ code: 'not_found', category: 'not_found', message: 'There is no such organization.' });
    }
    return { ...asked, metrics: [{ metric: 'api_calls', value: 7 }] };
  }
}

/** A replica that cannot answer, and says so before the one above can. */
@Controller()
class Excuses {
  @OnQuestion('usage.summary')
  usage(asked: Questions['usage.summary']['asks']): Promise<Questions['usage.summary']['answers']> {
    if (asked.organization_id === FAULTY_ORGANIZATION) throw new Error('A fault of its own.');
    throw new StockyardError({ code: 'no_database', category: 'unavailable', message: 'Its database is away.' });
  }
}

@Module({ controllers: [Answers] })
class AnsweringModule {}

@Module({ controllers: [Excuses] })
class SickModule {}

@Module({})
class Root {}

/** `answers`: what it answers questions with, if it does. */
async function process(
  config: AppConfig,
  answers?: Type,
): Promise<{ app: INestApplication; directory: ForgetfulDirectory }> {
  const directory = new ForgetfulDirectory();
  const app = await NestFactory.create(
    {
      module: Root,
      global: true,
      imports: [ConfigModule.forRoot(config), MessagingModule.forRoot(config), ...(answers ? [answers] : [])],
      providers: [{ provide: Directory, useValue: directory }],
      exports: [Directory],
    },
    new FastifyAdapter(),
    { logger: false },
  );
  await listenToMessages(app);
  await app.init();
  return { app, directory };
}

describe('the Redis transport', () => {
  let env: TestEnvironment;
  const apps: INestApplication[] = [];

  const start = async (config = env.config, answers?: Type) => {
    const started = await process(config, answers);
    apps.push(started.app);
    return started;
  };

  beforeAll(async () => {
    env = await createTestEnvironment();
  });

  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
  });

  afterAll(async () => {
    await env.dispose();
  });

  const ask = (app: INestApplication, organization = SOME_ORGANIZATION) =>
    app.get(PlatformQuestions).ask('usage.summary', { organization_id: organization, ...PERIOD });

  it('carries a question to another process and its answer back', async () => {
    await start(env.config, AnsweringModule);
    const { app } = await start();
    await expect(ask(app)).resolves.toEqual({
      organization_id: SOME_ORGANIZATION,
      ...PERIOD,
      metrics: [{ metric: 'api_calls', value: 7 }],
    });
  });

  it('carries many questions at once, each to its own answer', async () => {
    await start(env.config, AnsweringModule);
    await start(env.config, AnsweringModule); // a second replica answers each question as well
    const { app } = await start();
    const organizations = Array.from({ length: 50 }, newId);
    const answers = await Promise.all(organizations.map((id) => ask(app, id)));
    expect(answers.map((answer) => answer.organization_id)).toEqual(organizations);
  });

  it('carries the refusal of a question', async () => {
    await start(env.config, AnsweringModule);
    const { app } = await start();
    await expect(ask(app, UNKNOWN_ORGANIZATION)).rejects.toMatchObject({ code: 'not_found', category: 'not_found' });
  });

  it.each([
    ['is out', SLOW_ORGANIZATION],
    ['has failed', FAULTY_ORGANIZATION],
  ])('prefers the answer of a replica that is well to the faster one of a replica that %s', async (_how, id) => {
    await start(env.config, AnsweringModule);
    await start(env.config, SickModule);
    const { app } = await start();
    await expect(ask(app, id)).resolves.toMatchObject({ organization_id: id, metrics: [{ value: 7 }] });
  });

  it('says what is out when no replica is well, well before its patience is over', async () => {
    for (let replica = 0; replica < 2; replica += 1) await start(env.config, SickModule);
    const { app } = await start();
    const begun = performance.now();
    await expect(ask(app)).rejects.toMatchObject({ code: 'no_database', category: 'unavailable' });
    expect(performance.now() - begun).toBeLessThan(1_500);
  });

  it('answers metrics_unavailable when nobody answers', async () => {
    const { app } = await start();
    await expect(ask(app)).rejects.toMatchObject({ code: 'metrics_unavailable', category: 'unavailable' });
  });

  it('carries a hint to every process of the deployment and to no other', async () => {
    const listeners = [await start(), await start()];
    const stranger = await start({ ...env.config, REDIS_KEY_PREFIX: `${env.config.REDIS_KEY_PREFIX}-other` });
    const { app } = await start();
    app.get(PlatformEvents).publish('organization.changed', { organization_id: SOME_ORGANIZATION });
    await waitFor(() => listeners.every(({ directory }) => directory.forgotten.includes(SOME_ORGANIZATION)), {
      what: 'the hint to arrive',
    });
    expect(stranger.directory.forgotten).toEqual([]);
  });

  it('drops and counts what is forged, stale, of the wrong shape or no message at all', async () => {
    const { app, directory } = await start();
    const channel = `${env.config.REDIS_KEY_PREFIX}:organization.changed`;
    const name = 'organization.changed';
    const seal = (secret: string, ageMs: number, payload: unknown) => {
      const clock = new (class extends SystemClock {
        override nowMs = () => Date.now() - ageMs;
      })();
      return new EnvelopeCodec({ secret, deployment: env.config.REDIS_KEY_PREFIX, clock }).seal(name, payload);
    };
    const genuine = env.config.MESSAGING_SECRET;
    const organization = { organization_id: SOME_ORGANIZATION };
    const redis = new Redis(env.config.REDIS_URL);
    try {
      for (const data of [
        seal('a-guessed-secret', 0, organization),
        seal(genuine, 61_000, organization),
        seal(genuine, 0, { organization_id: 'x' }),
        { ...seal(genuine, 0, organization), payload: { organization_id: newId() } },
        organization,
      ]) {
        await redis.publish(channel, JSON.stringify({ pattern: channel, data }));
      }
      await redis.publish(channel, 'no JSON');
    } finally {
      redis.disconnect();
    }
    const statistics = app.get(MessagingStatistics);
    const expected = { forged: 2, expired: 1, invalid_payload: 1, malformed: 2 };
    await waitFor(() => Object.values(statistics.snapshot().refused).reduce((sum, n) => sum + n, 0) === 6, {
      what: 'six refusals',
    });
    expect(statistics.snapshot()).toMatchObject({ accepted: 0, refused: expected });
    expect(directory.forgotten).toEqual([]);
  });

  describe('with a Redis that comes and goes', () => {
    let redis: LocalRedis;
    let config: AppConfig;

    beforeEach(async () => {
      redis = await startLocalRedis();
      config = { ...env.config, REDIS_URL: redis.url };
    });

    afterEach(async () => {
      await redis.remove();
    });

    it('starts without it, loses hints and refuses questions at once, and works when it is there', async () => {
      await redis.stop();
      await start(config, AnsweringModule);
      const { app, directory } = await start(config);
      const begun = performance.now();
      app.get(PlatformEvents).publish('outbox.ready', {});
      await expect(ask(app)).rejects.toMatchObject({ code: 'metrics_unavailable' });
      expect(performance.now() - begun).toBeLessThan(500);
      expect(app.get(MessagingStatistics).snapshot().lost).toBe(1);
      await redis.start();
      await waitFor(() => ask(app), { what: 'an answer' });
      const publish = () =>
        app.get(PlatformEvents).publish('organization.changed', { organization_id: SOME_ORGANIZATION });
      await waitFor(() => (publish(), directory.forgotten.length > 0), { what: 'the hint' });
    });

    it('listens again after it was killed', async () => {
      await start(config, AnsweringModule);
      const { app } = await start(config);
      await ask(app);
      await redis.kill();
      await expect(ask(app)).rejects.toMatchObject({ code: 'metrics_unavailable' });
      await redis.start();
      await waitFor(() => ask(app), { what: 'an answer' });
    });

    it('lets a process end while it is away', async () => {
      const { app } = await start(config, AnsweringModule);
      await redis.kill();
      await expect(app.close()).resolves.toBeUndefined();
      apps.splice(0);
    });
  });
});
