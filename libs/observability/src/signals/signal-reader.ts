/** Hears what the processes say of themselves. Redis may hold anything: what is no signal is no process. */
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { COORDINATION_REDIS, LuaScript, type RedisClient } from '#libs/redis';
import { PROCESS_SIGNALS, type ProcessSignals, signalKeys, SILENCE_MS } from './process-signals';

/** Processes that are looked at: far more than any deployment has. */
const MOST = 1_000;
const HEAR = LuaScript.fromFile<(string | null)[]>(join(__dirname, 'hear.lua'), 2);

@Injectable()
export class SignalReader {
  constructor(
    @Inject(COORDINATION_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {}

  /** Of the last 15 seconds. Rejects while Redis does not answer. */
  async processes(): Promise<ProcessSignals[]> {
    const said = await HEAR.run(this.redis, [...signalKeys(this.config.REDIS_KEY_PREFIX), SILENCE_MS, MOST]);
    return said.flatMap((text) => signalsOf(text));
  }
}

function signalsOf(text: string | null): ProcessSignals[] {
  try {
    const checked = PROCESS_SIGNALS.validate(JSON.parse(text ?? ''));
    return checked.issues ? [] : [checked.value];
  } catch {
    return []; // no JSON
  }
}
