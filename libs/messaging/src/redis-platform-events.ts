/** PlatformEvents over the Redis transport. */
import { Logger } from '@nestjs/common';
import type { MessagingStatistics } from './messaging-statistics';
import { channelOf } from './packets';
import { type EventName, type EventPayloads, PlatformEvents } from './platform-events';
import type { RedisTransportClient } from './redis-client.proxy';

export class RedisPlatformEvents extends PlatformEvents {
  private readonly logger = new Logger('Messaging');
  private losing = false;

  constructor(
    private readonly client: RedisTransportClient,
    private readonly statistics: MessagingStatistics,
    private readonly prefix: string,
  ) {
    super();
  }

  override publish<N extends EventName>(name: N, payload: EventPayloads[N]): void {
    if (!this.client.ready) {
      this.lost(name); // nothing is kept for later: a late hint is worth no memory
      return;
    }
    this.client.emit(channelOf(this.prefix, name), payload).subscribe({
      complete: () => (this.losing = false),
      error: () => this.lost(name),
    });
  }

  private lost(name: EventName): void {
    this.statistics.countLost();
    if (!this.losing) this.logger.warn(`Hints are being lost while Redis is away, first a ${name}.`);
    this.losing = true;
  }
}
