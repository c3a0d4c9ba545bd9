/**
 * Consistency tokens in Redis: one hash for each organization, one field for each caller, no expiry. A token of a lesser
 * rank never replaces a greater one, in whichever order two processes keep them.
 *
 * Each server has states of its own: there ⇄ away. Away begins with a failed command (the client gives up after 50 ms); then
 * commands are refused at once, except one try every quarter of a second. A token that could not be kept is owed and is kept
 * before this process reads any again of that server. Other processes may be back a little earlier than the debtor: after a
 * failure, a broken connection, or where a replica took over, each answers "none known" for a while, so that what is read then is
 * the primary and not the past.
 */
import { join } from 'node:path';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import { COORDINATION_REDIS, LuaScript, type RedisClient, ServerWatch } from '#libs/redis';
import { TokenKeeper } from '#libs/tenancy';
import { tokensKey } from '../coordination-keys';
import { type Debt, Debts } from './debts';
import { KeeperServer } from './keeper-server';

const REMIND_MS = 250;
const PAID_AT_ONCE = 500;
const RANK_LENGTH = 32;
const KEEP = LuaScript.fromFile<string>(join(__dirname, 'keep.lua'), 1);

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
  private readonly servers = new Map<string, KeeperServer>();
  private readonly watch: ServerWatch;
  private readonly owed: Debts;
  private readonly prefix: string;
  private reminder: NodeJS.Timeout | undefined;

  constructor(
    @Inject(COORDINATION_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {
    super();
    this.prefix = config.REDIS_KEY_PREFIX;
    this.watch = new ServerWatch(redis, {
      broken: (server) => this.server(server).broken(),
      ready: (server) => this.server(server).ready(performance.now()),
      tookOver: (server) => this.tookOver(server),
    });
    this.owed = new Debts((organizationId) => this.serverOf(organizationId));
  }

  async load(organizationId: string, caller: string): Promise<string | undefined> {
    const kept = await this.attempt(this.serverOf(organizationId), () =>
      this.redis.hget(tokensKey(this.prefix, organizationId), caller),
    );
    // Asked anew: the answer may have come from a server that has just taken over.
    if (!this.server(this.serverOf(organizationId)).isTrusted(performance.now())) return undefined;
    return kept?.slice(RANK_LENGTH + 1);
  }

  async keep(organizationId: string, caller: string, token: { sealed: string; rank: string }): Promise<void> {
    const debt = { organizationId, caller, ...token };
    try {
      await this.attempt(this.serverOf(organizationId), () => this.pay(debt));
    } catch (error) {
      this.owed.add(debt);
      this.remind();
      throw error;
    }
  }

  async forget(organizationId: string): Promise<void> {
    this.owed.forget(organizationId);
    await this.attempt(this.serverOf(organizationId), () => this.redis.del(tokensKey(this.prefix, organizationId)));
  }

  onModuleDestroy(): void {
    clearTimeout(this.reminder);
    this.watch.close();
  }

  private serverOf(organizationId: string): string {
    return this.watch.serverOf(tokensKey(this.prefix, organizationId));
  }

  private server(name: string): KeeperServer {
    let server = this.servers.get(name);
    if (!server) this.servers.set(name, (server = new KeeperServer()));
    return server;
  }

  private tookOver(name: string): void {
    this.server(name).tookOver(performance.now());
    this.owed.assign();
  }

  private pay({ organizationId, caller, rank, sealed }: Debt): Promise<string> {
    return KEEP.run(this.redis, [tokensKey(this.prefix, organizationId), caller, rank, sealed]);
  }

  private remind(): void {
    this.reminder ??= setTimeout(() => {
      this.reminder = undefined;
      const paying = this.owed.servers().map((server) => this.attempt(server, () => Promise.resolve()));
      void Promise.allSettled(paying).then(() => {
        if (this.owed.any && this.redis.status !== 'end') this.remind();
      });
    }, REMIND_MS).unref();
  }

  private async attempt<T>(name: string, work: () => Promise<T>): Promise<T> {
    const server = this.server(name);
    if (!server.mayTry(performance.now())) throw keeperUnavailable();
    try {
      await this.payAll(name);
      const result = await work();
      if (server.answered(performance.now())) this.logger.log('Consistency tokens are kept again.');
      return result;
    } catch (error) {
      if (server.failed(performance.now()))
        this.logger.warn({ err: error }, 'Redis is away: reads without a token go to the primary.');
      throw keeperUnavailable(error);
    }
  }

  private async payAll(server: string): Promise<void> {
    for (let debts; (debts = this.owed.some(server, PAID_AT_ONCE)).length > 0;) {
      await Promise.all(debts.map((debt) => this.pay(debt)));
      for (const debt of debts) this.owed.remove(debt);
    }
  }
}
