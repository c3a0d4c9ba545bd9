/** The sending side: Nest's Redis client with signed packets, which fails at once while Redis is away. */
import { ClientRedis } from '@nestjs/microservices';
import type { Redis } from 'ioredis';
import { AnswerDeserializer, AskSerializer, type PacketContext } from './packets';
import { closeRedis, transportRedis } from './transport-redis';

export class RedisTransportClient extends ClientRedis {
  constructor(
    private readonly url: string,
    context: PacketContext,
  ) {
    super({ serializer: new AskSerializer(context), deserializer: new AnswerDeserializer(context) });
  }

  /** True while a message could be sent now. */
  get ready(): boolean {
    const { pubClient } = this as unknown as { pubClient: Redis | null };
    return pubClient?.status === 'ready';
  }

  override createClient(): Promise<Redis> {
    return Promise.resolve(transportRedis(this.url, 'sender'));
  }

  /** Errors of connections are reported by transportRedis, once per outage. */
  override registerErrorListener(): void {}

  override async close(): Promise<void> {
    this.isManuallyClosed = true;
    this.handleClose();
    await closeRedis([this.pubClient as Redis | null, this.subClient as Redis | null]);
  }
}
