/**
 * Writes `last_used_at` behind the requests: uses are collected for a second and written with one statement an
 * organization, each key at most once a minute. A failed write loses a time stamp and nothing else.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { TenantContextHolder } from '#libs/tenancy';
import { LRUCache } from 'lru-cache';
import { systemContext } from '../access/system-context';
import { ApiKeyRepository } from './api-key.repository';

const COLLECT_MS = 1_000;
const EACH_KEY_MS = 60_000;
const REMEMBERED_KEYS = 50_000;

@Injectable()
export class ApiKeyUsage implements OnModuleDestroy {
  private readonly logger = new Logger(ApiKeyUsage.name);
  private readonly recent = new LRUCache<string, true>({ max: REMEMBERED_KEYS, ttl: EACH_KEY_MS });
  private readonly waiting = new Map<string, string[]>();
  private timer: NodeJS.Timeout | undefined;
  /** The timer is started by a request of one tenant and writes for all: it must not run in that request's context. */
  private readonly outsideRequests = AsyncLocalStorage.snapshot();

  constructor(
    private readonly repository: ApiKeyRepository,
    private readonly tenant: TenantContextHolder,
  ) {}

  /** Notes a use. Never waits and never throws. */
  touch(organizationId: string, keyId: string): void {
    if (this.recent.has(keyId)) return;
    this.recent.set(keyId, true);
    const keys = this.waiting.get(organizationId);
    if (keys) keys.push(keyId);
    else this.waiting.set(organizationId, [keyId]);
    this.timer ??= setTimeout(() => void this.outsideRequests(() => this.flush()), COLLECT_MS).unref();
  }

  /** Writes what was collected. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const collected = [...this.waiting];
    this.waiting.clear();
    for (const [organizationId, keys] of collected) {
      try {
        await this.tenant.run(systemContext(organizationId, 'api-key-usage'), () => this.repository.touch(keys));
      } catch (error) {
        this.logger.warn({ err: error, keys: keys.length }, 'Times of last use were not written.');
      }
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.flush();
  }
}
