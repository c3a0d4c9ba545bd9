/**
 * The receiving side: Nest's Redis server with channels that carry the deployment's prefix, envelopes that are
 * verified before a handler runs, and a boot that does not depend on Redis being there.
 */
import { ServerRedis } from '@nestjs/microservices';
import type { Redis } from 'ioredis';
import { AnswerSerializer, AskDeserializer, channelOf, type PacketContext, RefusedMessageError } from './packets';
import { closeRedis, transportRedis } from './transport-redis';

/** How long a boot waits for the first subscription before it goes on without. */
const BOOT_WAIT_MS = 1_000;

export class RedisTransportServer extends ServerRedis {
  constructor(
    private readonly url: string,
    private readonly context: PacketContext,
  ) {
    super({ serializer: new AnswerSerializer(context), deserializer: new AskDeserializer(context) });
  }

  override addHandler(...[pattern, ...rest]: Parameters<ServerRedis['addHandler']>): void {
    super.addHandler(channelOf(this.context.prefix, String(pattern)), ...rest);
  }

  /** Subscribes whenever a connection is ready. Calls back after the first time, or without it when Redis is away. */
  override start(callback?: () => void): void {
    const { subClient, pubClient } = this as unknown as { subClient: Redis; pubClient: Redis };
    const handle = this.getMessageHandler(pubClient).bind(this);
    subClient.on('message', (...message: Parameters<typeof handle>) => void handle(...message)); // reports its own errors
    const channels = [...this.messageHandlers.keys()];
    const subscribed = new Promise<void>((resolve) => {
      subClient.on('ready', () => {
        const done = channels.length > 0 ? subClient.subscribe(...channels) : Promise.resolve();
        done.then(() => resolve()).catch(() => subClient.disconnect(true)); // half a subscription is none
      });
    });
    for (const connection of [subClient, pubClient]) connection.connect().catch(() => undefined); // it goes on trying
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => (timer = setTimeout(resolve, BOOT_WAIT_MS)));
    void Promise.race([subscribed, waited]).then(() => {
      clearTimeout(timer);
      callback?.();
    });
  }

  override async close(): Promise<void> {
    this.isManuallyClosed = true;
    await closeRedis([this.pubClient as Redis, this.subClient as Redis]);
  }

  override createRedisClient(): Promise<Redis> {
    return Promise.resolve(transportRedis(this.url, 'listener'));
  }

  /** Errors of connections are reported by transportRedis, once per outage. */
  override registerErrorListener(): void {}

  protected override handleError(error: unknown): void {
    if (error instanceof RefusedMessageError) this.logger.debug?.(error.message);
    else this.logger.error(error);
  }
}
