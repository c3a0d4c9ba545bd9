/**
 * Runs take.lua on a real Redis with a clock of the spec's own: the script is the product's, only what tells and measures time
 * is answered for it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LuaScript } from '#libs/redis';
import type { Redis } from 'ioredis';
import type { ModelOptions } from './reference-model';

export const TAKE_FILE = join(__dirname, '../src/take.lua');

/**
 * The last argument is what the clock shows, in microseconds. What expires does so on that clock: the end of a counter's life
 * is kept beside it and looked at first.
 */
const ON_A_CLOCK = `
  local server, at = redis, tonumber(table.remove(ARGV))
  local now = math.floor(at / 1000)
  local function life(key)
    return tonumber(server.call('GET', key .. ':life') or nil)
  end
  local function live(key, ms)
    server.call('SET', key .. ':life', string.format('%.0f', now + ms))
  end
  if life(KEYS[1]) and life(KEYS[1]) <= now then
    server.call('DEL', KEYS[1], KEYS[1] .. ':life')
  end
  local redis = {
    call = function(name, key, ...)
      local given = { ... }
      if name == 'TIME' then
        return { string.format('%.0f', math.floor(at / 1000000)), string.format('%.0f', at % 1000000) }
      elseif name == 'PTTL' then
        return life(key) and life(key) - now or -1
      elseif name == 'PEXPIRE' then
        return live(key, given[1])
      elseif name == 'SET' then
        live(key, given[3])
        return server.call('SET', key, given[1])
      end
      return server.call(name, key, ...)
    end,
  }
`;

export interface Taken {
  readonly admitted: boolean;
  readonly used: number;
  readonly resetMs: number;
}

export class TakeOnAClock {
  private readonly script = new LuaScript<[number, number, number]>(ON_A_CLOCK + readFileSync(TAKE_FILE, 'utf8'), 1);

  constructor(private readonly redis: Redis) {}

  async take(key: string, { window, windowMs }: ModelOptions, limit: number, nowMicros: number): Promise<Taken> {
    const [admitted, used, resetMs] = await this.script.run(this.redis, [key, window, limit, windowMs, nowMicros]);
    return { admitted: admitted === 1, used, resetMs };
  }
}
