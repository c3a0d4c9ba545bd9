/**
 * The sending side: Nest's Redis client with signed packets, which fails at once while Redis is away. A question is answered by
 * every replica, and the first answer counts; that of a replica which cannot answer counts when no other comes soon.
 */
import { ClientRedis, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { Redis } from 'ioredis';
import { betterAnswer } from './better-answer';
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

  /** Returns what takes the question back. */
  protected override publish(question: ReadPacket, callback: (answer: WritePacket) => void): () => void {
    const { take, drop } = betterAnswer(callback);
    const takeBack = super.publish(question, take);
    return () => {
      drop();
      takeBack();
    };
  }

  /** Errors of connections are reported by transportRedis, once per outage. */
  override registerErrorListener(): void {}

  override async close(): Promise<void> {
    this.isManuallyClosed = true;
    this.handleClose();
    await closeRedis([this.pubClient as Redis | null, this.subClient as Redis | null]);
  }
}
