/** Provides PlatformEvents and PlatformQuestions to the whole process. Listening is the app's step: `listenToMessages`. */
import {
  type DynamicModule,
  Global,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import { messagingSecret, SystemClock } from '#libs/kernel';
import { DirectoryListener } from './directory.listener';
import { EnvelopeCodec } from './envelope';
import { MessagingStatistics } from './messaging-statistics';
import { PlatformEvents } from './platform-events';
import { PlatformQuestions } from './platform-questions';
import { RedisTransportClient } from './redis-client.proxy';
import { RedisPlatformEvents } from './redis-platform-events';
import { RedisPlatformQuestions } from './redis-platform-questions';

/** How long a boot waits for Redis before it goes on without. */
const BOOT_WAIT_MS = 1_000;

@Injectable()
class TransportLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly client: RedisTransportClient) {}

  async onModuleInit(): Promise<void> {
    const connected = this.client.connect().catch(() => undefined); // it goes on trying
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => (timer = setTimeout(resolve, BOOT_WAIT_MS)));
    await Promise.race([connected, waited]);
    clearTimeout(timer);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}

@Global()
@Module({})
export class MessagingModule {
  static forRoot(config: AppConfig): DynamicModule {
    const prefix = config.REDIS_KEY_PREFIX;
    const codec = new EnvelopeCodec({ ...messagingSecret(config), deployment: prefix, clock: new SystemClock() });
    const client = (statistics: MessagingStatistics) =>
      new RedisTransportClient(config.REDIS_URL, { codec, statistics, prefix });
    return {
      module: MessagingModule,
      controllers: [DirectoryListener],
      providers: [
        MessagingStatistics,
        TransportLifecycle,
        { provide: EnvelopeCodec, useValue: codec },
        { provide: RedisTransportClient, useFactory: client, inject: [MessagingStatistics] },
        {
          provide: PlatformEvents,
          useFactory: (sender: RedisTransportClient, statistics: MessagingStatistics) =>
            new RedisPlatformEvents(sender, statistics, prefix),
          inject: [RedisTransportClient, MessagingStatistics],
        },
        {
          provide: PlatformQuestions,
          useFactory: (sender: RedisTransportClient) => new RedisPlatformQuestions(sender, prefix),
          inject: [RedisTransportClient],
        },
      ],
      exports: [PlatformEvents, PlatformQuestions, MessagingStatistics, EnvelopeCodec],
    };
  }
}
