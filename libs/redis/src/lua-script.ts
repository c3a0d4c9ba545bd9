/** A Lua script: loaded once a connection's server knows it not, called by SHA. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { pipelineOfKey } from './key-slot';
import type { RedisClient } from './redis-client';

export class LuaScript<Reply> {
  private readonly sha: string;

  /** `keyCount`: keys of every call; not needed where each call says its own. */
  constructor(
    private readonly source: string,
    private readonly keyCount = 0,
  ) {
    this.sha = createHash('sha1').update(source).digest('hex');
  }

  /** Reads a `.lua` file that stands beside the compiled module. */
  static fromFile<Reply>(path: string, keyCount?: number): LuaScript<Reply> {
    return new LuaScript<Reply>(readFileSync(path, 'utf8'), keyCount);
  }

  /** Runs it; `keysAndArguments` begins with the keys. A server that forgot the script is given it again. */
  run(redis: RedisClient, keysAndArguments: readonly (string | number)[]): Promise<Reply> {
    return this.evaluate(redis, this.keyCount, keysAndArguments);
  }

  /** The same, for a script that takes any number of keys. */
  runOn(redis: RedisClient, keys: readonly string[], args: readonly (string | number)[]): Promise<Reply> {
    return this.evaluate(redis, keys.length, [...keys, ...args]);
  }

  /** The same, for replies that hold bytes: texts come as buffers. */
  async runBuffer(redis: RedisClient, keysAndArguments: readonly (string | number | Buffer)[]): Promise<Reply> {
    try {
      return (await redis.callBuffer('evalsha', this.sha, this.keyCount, ...keysAndArguments)) as Reply;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return (await redis.callBuffer('eval', this.source, this.keyCount, ...keysAndArguments)) as Reply;
    }
  }

  /** Runs it once for each call, in one pipeline a server; rejects when one of them failed, though others may have run. */
  async runAll(redis: RedisClient, calls: readonly (readonly (string | number)[])[]): Promise<Reply[]> {
    if (calls.length === 0) return [];
    if (redis instanceof Redis) return this.runPipeline(redis, calls);
    const parts = Map.groupBy(calls.keys(), (index) => pipelineOfKey(redis, String(calls[index]![0])));
    const replies: Reply[] = [];
    await Promise.all(
      [...parts.values()].map(async (part) => {
        const some = await this.runPipeline(
          redis,
          part.map((index) => calls[index]!),
        );
        for (const [place, index] of part.entries()) replies[index] = some[place]!;
      }),
    );
    return replies;
  }

  private async runPipeline(redis: RedisClient, calls: readonly (readonly (string | number)[])[]): Promise<Reply[]> {
    const replies = await redis.pipeline(calls.map((call) => ['evalsha', this.sha, this.keyCount, ...call])).exec();
    return Promise.all(
      (replies ?? []).map(([error, reply], index) => {
        if (!error) return reply as Reply;
        if (error.message.startsWith('NOSCRIPT')) return this.run(redis, calls[index]!);
        throw error;
      }),
    );
  }

  private async evaluate(
    redis: RedisClient,
    keyCount: number,
    keysAndArguments: readonly (string | number)[],
  ): Promise<Reply> {
    try {
      return (await redis.evalsha(this.sha, keyCount, ...keysAndArguments)) as Reply;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return (await redis.eval(this.source, keyCount, ...keysAndArguments)) as Reply;
    }
  }
}
