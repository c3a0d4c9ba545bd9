/**
 * Consistency tokens in Redis: one hash for each organization, one field for each caller, no expiry. A token of a lesser
 * rank never replaces a greater one, in whichever order two processes keep them.
 *
 * States: there ⇄ away. Away begins with a failed command (the client gives up after 50 ms); then commands are refused
 * at once, except one try every quarter of a second. A token that could not be kept is owed and is kept before this
 * process reads any again. Other processes may be back a little earlier than the debtor: after a failure or a broken
 * connection each answers "none known" for a while, so that what is read then is the primary and not the past.
 */
import { join } from 'node:path';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import { COORDINATION_REDIS, LuaScript } from '#libs/redis';
import { TokenKeeper } from '#libs/tenancy';
import type { Redis } from 'ioredis';
import { tokensKey } from '../coordination-keys';

const PROBE_EVERY_MS = 250;
/** The longest pause between two attempts to reconnect is 1 s, then the debts are paid. */
const DISTRUST_MS = 2_000;
const MAX_OWED = 10_000;
const PAID_AT_ONCE = 500;
const RANK_LENGTH = 32;
const KEEP = LuaScript.fromFile<string>(join(__dirname, 'keep.lua'), 1);

interface Debt {
  readonly organizationId: string;
  readonly caller: string;
  readonly sealed: string;
  readonly rank: string;
}

function keeperUnavailable(cause?: unknown): StockyardError {
  return new StockyardError({
    code: 'token_keeper_unavailable',
    category: 'unavailable',
    message: 'Consistency tokens are not kept at the moment; send the last X-Consistency-Token yourself.',
    retryAfterSeconds: 1,
    cause,
  });
}

@Injectable()
export class RedisTokenKeeper extends TokenKeeper implements OnModuleDestroy {
  private readonly logger = new Logger('ConsistencyTokens');
  private readonly owed = new Map<string, Debt>();
  private readonly prefix: string;
  private away = false;
  private nextTryAt = 0;
  private distrustUntil = 0;
  private reminder: NodeJS.Timeout | undefined;

  constructor(
    @Inject(COORDINATION_REDIS) private readonly redis: Redis,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {
    super();
    this.prefix = config.REDIS_KEY_PREFIX;
    redis.on('close', this.distrust).on('ready', this.trustSoon);
  }

  async load(organizationId: string, caller: string): Promise<string | undefined> {
    const kept = await this.attempt(() => this.redis.hget(tokensKey(this.prefix, organizationId), caller));
    if (performance.now() < this.distrustUntil) return undefined;
    return kept?.slice(RANK_LENGTH + 1);
  }

  async keep(organizationId: string, caller: string, token: { sealed: string; rank: string }): Promise<void> {
    const debt = { organizationId, caller, ...token };
    try {
      await this.attempt(() => this.pay(debt));
    } catch (error) {
      this.owe(debt);
      throw error;
    }
  }

  async forget(organizationId: string): Promise<void> {
    for (const [key, debt] of this.owed) if (debt.organizationId === organizationId) this.owed.delete(key);
    await this.attempt(() => this.redis.del(tokensKey(this.prefix, organizationId)));
  }

  onModuleDestroy(): void {
    clearTimeout(this.reminder);
    this.redis.off('close', this.distrust).off('ready', this.trustSoon);
  }

  private readonly distrust = (): void => {
    this.distrustUntil = Infinity;
  };

  private readonly trustSoon = (): void => {
    if (this.distrustUntil === Infinity) this.distrustUntil = performance.now() + DISTRUST_MS;
  };

  private pay({ organizationId, caller, rank, sealed }: Debt): Promise<string> {
    return KEEP.run(this.redis, [tokensKey(this.prefix, organizationId), caller, rank, sealed]);
  }

  private owe(debt: Debt): void {
    const key = `${debt.organizationId} ${debt.caller}`;
    const known = this.owed.get(key);
    if (known && known.rank >= debt.rank) return;
    this.owed.set(key, debt);
    if (this.owed.size > MAX_OWED) this.owed.delete(this.owed.keys().next().value!);
    this.remind();
  }

  private remind(): void {
    this.reminder ??= setTimeout(() => {
      this.reminder = undefined;
      this.attempt(() => Promise.resolve()).catch(() => this.redis.status !== 'end' && this.remind());
    }, PROBE_EVERY_MS).unref();
  }

  private async attempt<T>(work: () => Promise<T>): Promise<T> {
    const now = performance.now();
    if (now < this.nextTryAt) throw keeperUnavailable();
    if (this.away) this.nextTryAt = now + PROBE_EVERY_MS; // the others are refused while this one tries
    try {
      await this.payAll();
      const result = await work();
      this.recovered();
      return result;
    } catch (error) {
      this.failed(error);
      throw keeperUnavailable(error);
    }
  }

  private async payAll(): Promise<void> {
    while (this.owed.size > 0) {
      const debts = [...this.owed].slice(0, PAID_AT_ONCE);
      await Promise.all(debts.map(([, debt]) => this.pay(debt)));
      for (const [key, debt] of debts) if (this.owed.get(key) === debt) this.owed.delete(key);
    }
  }

  private recovered(): void {
    if (!this.away) return;
    this.logger.log('Consistency tokens are kept again.');
    this.away = false;
    this.nextTryAt = 0;
    this.distrustUntil = Math.max(this.distrustUntil, performance.now() + DISTRUST_MS);
  }

  private failed(error: unknown): void {
    if (!this.away) this.logger.warn({ err: error }, 'Redis is away: reads without a token go to the primary.');
    this.away = true;
    this.nextTryAt = performance.now() + PROBE_EVERY_MS;
  }
}
