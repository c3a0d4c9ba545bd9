/**
 * Hears from Sentinels that a master was replaced, for all clients of the process that have the same one: two connections, however
 * many clients there are, and none while there are no clients. A master that vanished or froze breaks no connection by itself.
 */
import { Redis, type RedisOptions } from 'ioredis';

const CHANNEL = '+switch-master';
/** One of them may be gone with the master. */
const SENTINELS = 2;
const RECONNECT_CAP_MS = 1_000;

/** The master that they are asked about, and how they are reached. */
export interface Watched {
  readonly name: string;
  readonly sentinels: readonly RedisOptions[];
}

export class FailoverNews {
  private static readonly all = new Map<string, FailoverNews>();
  private readonly listeners = new Set<() => void>();
  private connections: Redis[] = [];

  private constructor(private readonly watched: Watched) {}

  static of(watched: Watched): FailoverNews {
    const key = JSON.stringify(watched);
    const known = FailoverNews.all.get(key) ?? new FailoverNews(watched);
    FailoverNews.all.set(key, known);
    return known;
  }

  /** Until the answer is called. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.open();
    return () => {
      if (this.listeners.delete(listener) && this.listeners.size === 0) this.close();
    };
  }

  private open(): void {
    const { sentinels } = this.watched;
    const first = Math.floor(Math.random() * sentinels.length);
    this.connections = [...sentinels.slice(first), ...sentinels.slice(0, first)]
      .slice(0, SENTINELS)
      .map((options) => this.connect(options));
  }

  private close(): void {
    for (const connection of this.connections.splice(0)) connection.disconnect();
  }

  private connect(options: RedisOptions): Redis {
    const retryStrategy = (attempt: number) => Math.min(attempt * 50, RECONNECT_CAP_MS);
    const redis = new Redis({ ...options, retryStrategy, enableReadyCheck: false, maxRetriesPerRequest: null });
    redis.on('error', () => undefined); // whoever connects to the master next tells
    redis.on('ready', () => void redis.subscribe(CHANNEL).catch(() => undefined));
    redis.on('message', (_channel, message) => {
      if (message.split(' ')[0] === this.watched.name) for (const tell of [...this.listeners]) tell();
    });
    return redis;
  }
}
