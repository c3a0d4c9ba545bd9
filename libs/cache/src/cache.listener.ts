/** Forgets in this process what another one invalidated. */
import { Controller } from '@nestjs/common';
import { type EventPayloads, OnEvent } from '#libs/messaging';
import { TenantCache } from './tenant-cache';

@Controller()
export class CacheListener {
  constructor(private readonly cache: TenantCache) {}

  @OnEvent('cache.invalidated')
  forget({ organization_id, namespace, key }: EventPayloads['cache.invalidated']): void {
    this.cache.forgetNear(organization_id, namespace, key);
  }
}
