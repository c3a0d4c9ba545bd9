import { Logger } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { redisOptions } from '#libs/redis';
import { tokenRank } from '#libs/tenancy';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/testing';
import fc from 'fast-check';
import { Redis, type RedisOptions } from 'ioredis';
import { tokensKey } from '../coordination-keys';
import { RedisTokenKeeper } from './redis-token-keeper';

const PREFIX = 'tokens-test';

const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');

/** A token as its rank orders it; small numbers, so that equal and crossing ones come up. */
function token(epoch: number, timeline: number, position: number) {
  const rank = tokenRank({ shard: 'main', epoch, timeline: hex(timeline, 8), position: hex(position, 16) });
  return { rank, sealed: `sealed ${epoch} ${timeline} ${position}` };
}

describe('the keeper of consistency tokens', () => {
  let server: LocalRedis;
  let clients: Redis[];

  beforeAll(async () => {
    server = await startLocalRedis({ persistent: true }); // what it kept before a crash is the past that may not return
  });

  beforeEach(async () => {
    clients = [];
    await server.start();
  });

  afterEach(() => {
    for (const client of clients) client.disconnect();
    jest.restoreAllMocks();
  });

  afterAll(() => server.remove());

  /** A busy machine is not what most tests are about: they wait for Redis longer than the product does. */
  const keeper = async (change: RedisOptions = { commandTimeout: 10_000 }) => {
    const client = new Redis(server.url, { ...redisOptions('fast'), ...change });
    client.on('error', () => undefined);
    clients.push(client);
    const made = new RedisTokenKeeper(client, { REDIS_KEY_PREFIX: PREFIX });
    await waitFor(() => client.status === 'ready', { what: 'Redis', intervalMs: 5 });
    return made;
  };

  it('keeps the greatest token of each caller, whichever of several processes keeps it when', async () => {
    const keepers = await Promise.all([keeper(), keeper(), keeper()]);
    const step = fc.record({
      keeper: fc.nat(2),
      caller: fc.constantFrom('key:a', 'user:b'),
      token: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(300)).map((parts) => token(...parts)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), fc.nat(2), async (steps, reader) => {
        const organization = newId();
        await Promise.all(steps.map((each) => keepers[each.keeper]!.keep(organization, each.caller, each.token)));
        for (const caller of ['key:a', 'user:b']) {
          const kept = steps.filter((each) => each.caller === caller).map((each) => each.token);
          const greatest = kept.sort((a, b) => (a.rank < b.rank ? 1 : -1))[0];
          expect(await keepers[reader]!.load(organization, caller)).toBe(greatest?.sealed);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('forgets every caller of one organization, and of no other', async () => {
    const tokens = await keeper();
    const [gone, other] = [newId(), newId()];
    for (const organization of [gone, other])
      for (const caller of ['a', 'b']) await tokens.keep(organization, caller, token(1, 1, 1));
    await tokens.forget(gone);
    expect(await Promise.all(['a', 'b'].map((caller) => tokens.load(gone, caller)))).toEqual([undefined, undefined]);
    expect(await tokens.load(other, 'a')).toBe('sealed 1 1 1');
    expect(await clients[0]!.exists(tokensKey(PREFIX, gone))).toBe(0);
  });

  it('knows of no token when Redis has lost its data', async () => {
    const tokens = await keeper();
    const organization = newId();
    await tokens.keep(organization, 'a', token(1, 1, 7));
    await clients[0]!.flushall();
    expect(await tokens.load(organization, 'a')).toBeUndefined();
  });

  it.each([['killed', 'SIGKILL'] as const, ['frozen', 'SIGSTOP'] as const])(
    'rejects at once when Redis is %s, warns once, and pays what it owes before it reads again',
    async (_how, signal) => {
      const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
      jest.spyOn(Logger.prototype, 'log').mockReturnValue();
      const [tokens, other] = [await keeper({}), await keeper()];
      const organization = newId();
      await waitFor(() => tokens.keep(organization, 'a', token(1, 1, 1)).then(() => true), { what: 'a first token' });
      warned.mockClear();
      await server.kill(signal);
      const begun = performance.now();
      for (let position = 2; position <= 40; position += 1) {
        const kept = tokens.keep(organization, 'a', token(1, 1, position));
        await expect(kept).rejects.toMatchObject({ code: 'token_keeper_unavailable', category: 'unavailable' });
        await expect(tokens.load(organization, 'a')).rejects.toMatchObject({ code: 'token_keeper_unavailable' });
      }
      expect(performance.now() - begun).toBeLessThan(2_000);
      expect(warned).toHaveBeenCalledTimes(1);
      await server.kill('SIGCONT');
      await server.start();
      // Nobody asks: it pays by itself, and meanwhile no other process reads the past.
      const seen = new Set<string | undefined>();
      await waitFor(
        async () => {
          seen.add(await other.load(organization, 'a'));
          return seen.has('sealed 1 1 40');
        },
        { what: 'the newest token', intervalMs: 5 },
      );
      expect(seen).not.toContain('sealed 1 1 1');
      await waitFor(async () => (await tokens.load(organization, 'a')) === 'sealed 1 1 40', { what: 'the debtor' });
    },
  );
});
