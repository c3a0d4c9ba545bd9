/**
 * Runs take.lua and used.lua on a real Redis with a clock of the spec's own: the scripts are the product's, only what tells and measures time
 * is answered for it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LuaScript } from '#libs/redis';
import type { Redis } from 'ioredis';
import { lifeMs } from '../src/take-batch';
import type { ModelOptions } from './reference-model';

export const TAKE_FILE = join(__dirname, '../src/take.lua');
const USED_FILE = join(__dirname, '../src/used.lua');

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
  for _, key in ipairs(KEYS) do
    if life(key) and life(key) <= now then
      server.call('DEL', key, key .. ':life')
    end
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

/** What one of several requests of a call asks for. */
export interface Asked {
  readonly key: string;
  readonly options: ModelOptions;
  readonly limit: number;
}

export class TakeOnAClock {
  private readonly script = new LuaScript<number[]>(ON_A_CLOCK + readFileSync(TAKE_FILE, 'utf8'));

  private readonly peek = new LuaScript<number[]>(ON_A_CLOCK + readFileSync(USED_FILE, 'utf8'));

  constructor(private readonly redis: Redis) {}

  /** What is used, without taking any of it. */
  async used(key: string, options: ModelOptions, nowMicros: number): Promise<number> {
    const { window, windowMs } = options;
    return (await this.peek.runOn(this.redis, [key], [window, windowMs, lifeMs(options), nowMicros]))[0]!;
  }

  async take(key: string, options: ModelOptions, limit: number, nowMicros: number): Promise<Taken> {
    const [[taken]] = (await this.takeAll([[{ key, options, limit }]], nowMicros)) as [[Taken]];
    return taken;
  }

  /** Several requests in one call, each of several checks: for each request what each check measured. */
  async takeAll(requests: readonly (readonly Asked[])[], nowMicros: number): Promise<Taken[][]> {
    const letters = requests.map((_, index) => String.fromCharCode('A'.charCodeAt(0) + index)).join('');
    const shapes = requests.map((checks) => [
      checks.length,
      ...checks.flatMap(({ options, limit }) => [options.window, limit, options.windowMs, lifeMs(options)]),
    ]);
    const keys = requests.flat().map(({ key }) => key);
    const reply = await this.script.runOn(this.redis, keys, [letters, ...shapes.flat(), nowMicros]);
    return requests.map((checks) => {
      const admitted = reply.shift() === 1;
      return checks.map(() => ({ admitted, used: reply.shift()!, resetMs: reply.shift()! }));
    });
  }
}
