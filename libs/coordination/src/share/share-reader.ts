/** How much of what processes share of a tenant is in use, as they last said: for those who show it. */
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { COORDINATION_REDIS, LuaScript, type RedisClient } from '#libs/redis';
import { leasesKey } from '../coordination-keys';
import { CONNECTION_SHARE, REQUEST_SHARE } from './share-names';

const HELD = LuaScript.fromFile<number>(join(__dirname, 'held.lua'), 1);

@Injectable()
export class ShareReader {
  constructor(
    @Inject(COORDINATION_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {}

  /** Of `max_concurrent_requests`; null while Redis does not answer. */
  requests(organizationId: string): Promise<number | null> {
    return this.held(REQUEST_SHARE, organizationId);
  }

  /** Of `max_connections`; null while Redis does not answer. */
  connections(organizationId: string): Promise<number | null> {
    return this.held(CONNECTION_SHARE, organizationId);
  }

  private held(share: string, organizationId: string): Promise<number | null> {
    return HELD.run(this.redis, [leasesKey(this.config.REDIS_KEY_PREFIX, share, organizationId)]).catch(() => null);
  }
}
