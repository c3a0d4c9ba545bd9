/** Connects an application that also speaks HTTP to the Redis transport. */
import type { INestApplication } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import type { CustomStrategy } from '@nestjs/microservices';
import { EnvelopeCodec } from './envelope';
import { MessagingStatistics } from './messaging-statistics';
import { RedisTransportServer } from './redis-server.strategy';

/** Options for `app.connectMicroservice`; the application must import MessagingModule. */
export function redisTransport(app: Pick<INestApplication, 'get'>): CustomStrategy {
  const config = app.get<AppConfig>(APP_CONFIG);
  const context = {
    codec: app.get(EnvelopeCodec),
    statistics: app.get(MessagingStatistics),
    prefix: config.REDIS_KEY_PREFIX,
  };
  return { strategy: new RedisTransportServer(config.REDIS_URL, context) };
}

/**
 * Makes the handlers of an application hear messages. Call it before `listen`. A Redis that is away delays it by a
 * second and is joined as soon as it is there.
 */
export async function listenToMessages(app: INestApplication): Promise<void> {
  app.connectMicroservice(redisTransport(app));
  await app.startAllMicroservices();
}
