/** An api process elsewhere, as the others hear of it: it says again and again how many requests it answers. */
import { join } from 'node:path';
import type { AppConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { LuaScript, redisKey } from '#libs/redis';
import { Redis } from 'ioredis';

const SPEAK = LuaScript.fromFile<number>(join(process.cwd(), 'libs/observability/src/signals/speak.lua'), 2);
const SPEAK_MS = 1_000;
const SILENCE_MS = 15_000;

export class RequestsElsewhere {
  private readonly redis: Redis;
  private readonly id = newId();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly config: Pick<AppConfig, 'REDIS_URL' | 'REDIS_KEY_PREFIX'>) {
    this.redis = new Redis(config.REDIS_URL);
  }

  async come(perSecond: number): Promise<void> {
    const load = { requests_per_second: perSecond, p95_ms: 10, cpu_ratio: 0.5, memory_ratio: 0.5 };
    const said = JSON.stringify({ process: 'api', ...load });
    await this.say(said);
    this.timer = setInterval(() => void this.say(said), SPEAK_MS);
  }

  close(): void {
    clearInterval(this.timer);
    this.redis.disconnect();
  }

  private async say(said: string): Promise<void> {
    const prefix = this.config.REDIS_KEY_PREFIX;
    const keys = ['heard', 'said'].map((name) => redisKey(prefix, 'signals', null, name));
    await SPEAK.run(this.redis, [...keys, this.id, said, SILENCE_MS]);
  }
}
