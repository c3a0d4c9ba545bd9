/**
 * The directory of organizations over the control tables, with a small in-process cache. A change is announced by
 * `organization.changed` and forgotten at once; whoever misses the hint is late by the cache's life, and a database
 * that is away leaves the last known answer in force.
 */
import { Inject, Injectable } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import {
  Directory,
  effectiveLimits,
  type LimitName,
  type Organization,
  type OrganizationState,
  type Tier,
} from '#libs/tenancy';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { CONTROL_POOL } from '../database.constants';
import { translateDatabaseError } from '../database.error';

const FRESH_MS = 5_000;
const CAPACITY = 10_000;
const PAGE = 500;

interface OrganizationRow {
  id: string;
  slug: string;
  name: string;
  tier: Tier;
  region: string;
  state: OrganizationState;
  epoch: number;
  shard_key: number;
  version: number;
  created_at: Date;
  max_connections: number | null;
  api_calls_per_hour: number | null;
  max_users: number | null;
  max_storage_bytes: number | null;
  requests_per_minute: number | null;
  auth_attempts_per_15_minutes: number | null;
  exports_per_hour: number | null;
  bulk_per_hour: number | null;
  scheduling_weight: number | null;
}

/** The select list and join that every read of the directory shares. */
export const ORGANIZATION_SELECT = `
  select o.id, o.slug, o.name, o.tier, o.region, o.state, o.epoch, o.shard_key, o.version, o.created_at,
    l.max_connections, l.api_calls_per_hour, l.max_users, l.max_storage_bytes, l.requests_per_minute,
    l.auth_attempts_per_15_minutes, l.exports_per_hour, l.bulk_per_hour, l.scheduling_weight
  from organizations o left join tenant_limits l on l.organization_id = o.id`;

function limitOverrides(row: OrganizationRow): Partial<Record<LimitName, number | null>> {
  return {
    maxConnections: row.max_connections,
    apiCallsPerHour: row.api_calls_per_hour,
    maxUsers: row.max_users,
    maxStorageBytes: row.max_storage_bytes,
    requestsPerMinute: row.requests_per_minute,
    authAttemptsPer15Minutes: row.auth_attempts_per_15_minutes,
    exportsPerHour: row.exports_per_hour,
    bulkPerHour: row.bulk_per_hour,
    schedulingWeight: row.scheduling_weight,
  };
}

/** A row of ORGANIZATION_SELECT as the directory's shape. */
export function toOrganization(row: unknown): Organization {
  const found = row as OrganizationRow;
  return {
    id: found.id,
    slug: found.slug,
    name: found.name,
    tier: found.tier,
    region: found.region,
    state: found.state,
    epoch: found.epoch,
    shardKey: found.shard_key,
    version: found.version,
    createdAt: found.created_at,
    limits: effectiveLimits(found.tier, limitOverrides(found)),
  };
}

@Injectable()
export class DatabaseDirectory extends Directory {
  private readonly known = new LRUCache<string, { organization: Organization; readAt: number }>({ max: CAPACITY });
  private readonly loading = new Map<string, Promise<Organization | undefined>>();

  constructor(@Inject(CONTROL_POOL) private readonly pool: Pool) {
    super();
  }

  override find(organizationId: string): Promise<Organization | undefined> {
    return this.look(organizationId, 'o.id = $1::uuid');
  }

  override findBySlug(slug: string): Promise<Organization | undefined> {
    return this.look(slug, 'o.slug = $1');
  }

  override forget(organizationId: string): void {
    const known = this.known.get(organizationId);
    this.known.delete(organizationId);
    if (known) this.known.delete(known.organization.slug);
  }

  override async *all(): AsyncIterable<Organization> {
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const { rows } = await this.pool.query(`${ORGANIZATION_SELECT} where o.id > $1 order by o.id limit ${PAGE}`, [
        after,
      ]);
      const page = rows.map(toOrganization);
      yield* page;
      if (page.length < PAGE) return;
      after = page[page.length - 1]!.id;
    }
  }

  private async look(key: string, condition: string): Promise<Organization | undefined> {
    const known = this.known.get(key);
    if (known && Date.now() - known.readAt < FRESH_MS) return known.organization;
    try {
      return await this.load(key, condition);
    } catch (error) {
      const translated = translateDatabaseError(error);
      const away = translated instanceof StockyardError && translated.category === 'unavailable';
      if (known && away) return known.organization;
      throw translated;
    }
  }

  /** One load at a time for each key: a burst after expiry asks the database once. */
  private load(key: string, condition: string): Promise<Organization | undefined> {
    const running = this.loading.get(key);
    if (running) return running;
    const started = this.read(key, condition).finally(() => this.loading.delete(key));
    this.loading.set(key, started);
    return started;
  }

  private async read(key: string, condition: string): Promise<Organization | undefined> {
    const { rows } = await this.pool.query(`${ORGANIZATION_SELECT} where ${condition}`, [key]);
    if (rows.length === 0) {
      this.known.delete(key);
      return undefined;
    }
    const entry = { organization: toOrganization(rows[0]), readAt: Date.now() };
    this.known.set(entry.organization.id, entry);
    this.known.set(entry.organization.slug, entry);
    return entry.organization;
  }
}
