/**
 * How much of what processes share of a tenant is in use, as they last said: for those who show it. What this process uses itself is
 * left out: it looks on, and takes slots to look.
 */
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { COORDINATION_REDIS, LuaScript, type RedisClient } from '#libs/redis';
import { leasesKey } from '../coordination-keys';
import { RedisRequestShare } from './redis-request-share';
import { RedisTenantShare } from './redis-tenant-share';
import { CONNECTION_SHARE, REQUEST_SHARE } from './share-names';

const HELD = LuaScript.fromFile<number>(join(__dirname, 'held.lua'), 1);

@Injectable()
export class ShareReader {
  constructor(
    @Inject(COORDINATION_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
    private readonly ownRequests: RedisRequestShare,
    private readonly ownConnections: RedisTenantShare,
  ) {}

  /** Of `max_concurrent_requests`; null while Redis does not answer. */
  requests(organizationId: string): Promise<number | null> {
    return this.held(REQUEST_SHARE, organizationId, this.ownRequests.process);
  }

  /** Of `max_connections`; null while Redis does not answer. */
  connections(organizationId: string): Promise<number | null> {
    return this.held(CONNECTION_SHARE, organizationId, this.ownConnections.process);
  }

  private held(share: string, organizationId: string, except: string): Promise<number | null> {
    const key = leasesKey(this.config.REDIS_KEY_PREFIX, share, organizationId);
    return HELD.run(this.redis, [key, except]).catch(() => null);
  }
}
