/**
 * The directory of organizations over the control tables, with a small in-process cache. A change is announced by
 * `organization.changed` and forgotten at once; whoever misses the hint is late by the cache's life, and a database
 * that is away leaves the last known answer in force.
 */
import { Inject, Injectable } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { Directory, type Organization } from '#libs/tenancy';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { CONTROL_POOL } from '../database.constants';
import { translateDatabaseError } from '../database.error';
import { type OrganizationRow, SELECT_ORGANIZATION, toOrganization } from './organization-row';

const FRESH_MS = 5_000;
const CAPACITY = 10_000;
const PAGE = 500;

type LookUp = 'id' | 'slug';

const CONDITION: Readonly<Record<LookUp, string>> = { id: 'o.id = $1::uuid', slug: 'o.slug = $1' };

/** A slug may look like an id, so each kind of key has its own space. */
const keyOf = (by: LookUp, value: string): string => `${by}:${value}`;

@Injectable()
export class DatabaseDirectory extends Directory {
  private readonly known = new LRUCache<string, { organization: Organization; readAt: number }>({ max: CAPACITY });
  private readonly loading = new Map<string, Promise<Organization | undefined>>();

  constructor(@Inject(CONTROL_POOL) private readonly pool: Pool) {
    super();
  }

  override find(organizationId: string): Promise<Organization | undefined> {
    return this.look('id', organizationId);
  }

  override findBySlug(slug: string): Promise<Organization | undefined> {
    return this.look('slug', slug);
  }

  override forget(organizationId: string): void {
    const known = this.known.get(keyOf('id', organizationId));
    this.known.delete(keyOf('id', organizationId));
    if (known) this.known.delete(keyOf('slug', known.organization.slug));
  }

  override async *all(): AsyncIterable<Organization> {
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const { rows } = await this.pool.query<OrganizationRow>(
        `${SELECT_ORGANIZATION} where o.id > $1 order by o.id limit ${PAGE}`,
        [after],
      );
      const page = rows.map(toOrganization);
      yield* page;
      if (page.length < PAGE) return;
      after = page[page.length - 1]!.id;
    }
  }

  private async look(by: LookUp, value: string): Promise<Organization | undefined> {
    const known = this.known.get(keyOf(by, value));
    if (known && Date.now() - known.readAt < FRESH_MS) return known.organization;
    try {
      return await this.load(by, value);
    } catch (error) {
      const translated = translateDatabaseError(error);
      const away = translated instanceof StockyardError && translated.category === 'unavailable';
      if (known && away) return known.organization;
      throw translated;
    }
  }

  /** One load at a time for each key: a burst after expiry asks the database once. */
  private load(by: LookUp, value: string): Promise<Organization | undefined> {
    const key = keyOf(by, value);
    const running = this.loading.get(key);
    if (running) return running;
    const started = this.read(by, value).finally(() => this.loading.delete(key));
    this.loading.set(key, started);
    return started;
  }

  private async read(by: LookUp, value: string): Promise<Organization | undefined> {
    const { rows } = await this.pool.query<OrganizationRow>(`${SELECT_ORGANIZATION} where ${CONDITION[by]}`, [value]);
    if (rows.length === 0) {
      this.known.delete(keyOf(by, value));
      return undefined;
    }
    const entry = { organization: toOrganization(rows[0]!), readAt: Date.now() };
    this.known.set(keyOf('id', entry.organization.id), entry);
    this.known.set(keyOf('slug', entry.organization.slug), entry);
    return entry.organization;
  }
}
