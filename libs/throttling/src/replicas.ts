/**
 * How many processes count these limits: each says every two seconds in the Redis of the limits that it is there. While that
 * is away the last count stands. It is the greatest of the last ten seconds, as a Redis that came back without its data knows
 * of nobody at first; never less than RATE_LIMIT_REPLICAS.
 */
import { join } from 'node:path';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { LIMITS_REDIS, LuaScript, type RedisClient, redisKey } from '#libs/redis';

const BEAT_MS = 2_000;
const SILENCE_MS = 10_000;
const BEAT = LuaScript.fromFile<number>(join(__dirname, 'replicas.lua'), 1);

@Injectable()
export class Replicas implements OnModuleInit, BeforeApplicationShutdown {
  private readonly process = newId();
  private readonly key: string;
  private readonly floor: number;
  private heard: { readonly at: number; readonly count: number }[] = [];
  private beating: NodeJS.Timeout | undefined;

  constructor(
    @Inject(LIMITS_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'REDIS_KEY_PREFIX' | 'RATE_LIMIT_REPLICAS'>,
  ) {
    this.key = redisKey(config.REDIS_KEY_PREFIX, 'limits', null, 'replicas');
    this.floor = config.RATE_LIMIT_REPLICAS;
  }

  /** At least 1. */
  get count(): number {
    return Math.max(this.floor, ...this.heard.map(({ count }) => count));
  }

  onModuleInit(): void {
    this.beating = setInterval(this.beat, BEAT_MS).unref();
    this.redis.on('ready', this.beat);
    this.beat();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.beating);
    this.redis.off('ready', this.beat);
    await BEAT.run(this.redis, [this.key, this.process, 0]).catch(() => undefined); // it is forgotten all the same
  }

  private readonly beat = (): void => {
    BEAT.run(this.redis, [this.key, this.process, SILENCE_MS]).then(
      (count) => {
        const at = performance.now();
        this.heard = [...this.heard.filter((beat) => beat.at > at - SILENCE_MS), { at, count }];
      },
      () => undefined, // away: what was heard last stands
    );
  };
}
