/**
 * The directory of organizations over the control tables, with an in-process cache. A change is announced by
 * `organization.changed` and forgotten at once; whoever misses the hint is late by the cache's life, and a database
 * that is away leaves the last known answer in force. What a statement may do is decided by the tenant's place on its shard,
 * so a late entry costs a second try, never a write in the wrong place.
 *
 * While there is no primary a replica answers. How much it misses nobody can say then, so what it says is never fresh, and
 * less than what this process knows is not believed.
 */
import { Injectable } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { Directory, type LocatedOrganization, type Organization, type Whereabouts } from '#libs/tenancy';
import { LRUCache } from 'lru-cache';
import type { QueryResult } from 'pg';
import { translateDatabaseError } from '../database.error';
import { HOME_SHARD } from '#libs/config';
import type { PrimaryPool } from '../shards/primary-pool';
import { Shards } from '../shards/shards.service';
import { type OrganizationRow, SELECT_ORGANIZATION, toOrganization } from './organization-row';

const FRESH_MS = 5_000;
const CAPACITY = 10_000;
const PAGE = 500;
const NEVER = 0;

type LookUp = 'id' | 'slug';

/** An organization that is not here, and the region that it was taken to. */
interface Gone {
  readonly movedTo: string | undefined;
  readonly readAt: number;
}

interface Known extends LocatedOrganization {
  readonly readAt: number;
}

/** One row in any case: who answers, and an organization beside it if there is one. */
interface Answer extends Nullable<OrganizationRow> {
  readonly is_replica: boolean;
}

type Nullable<T> = { readonly [Key in keyof T]: T[Key] | null };

const lookUp = (condition: string): string => `
  select pg_is_in_recovery() as is_replica, found.* from (select) as one
  left join (${SELECT_ORGANIZATION} where ${condition}) as found on true`;
const LOOK_UP: Readonly<Record<LookUp, string>> = { id: lookUp('o.id = $1::uuid'), slug: lookUp('o.slug = $1') };

/** What a deletion was told; an organization that came back since is found before anyone asks. */
const MOVED_TO = `
  select parameters ->> 'moved_to' as "movedTo" from tenant_operations
  where tenant = $1 and kind = 'delete' and state in ('running', 'completed') order by id desc limit 1`;

/** A slug may look like an id, so each kind of key has its own space. */
const keyOf = (by: LookUp, value: string): string => `${by}:${value}`;

@Injectable()
export class DatabaseDirectory extends Directory {
  private readonly known = new LRUCache<string, Known>({ max: CAPACITY });
  private readonly gone = new LRUCache<string, Gone>({ max: CAPACITY });
  private readonly loading = new Map<string, Promise<Known | undefined>>();
  private readonly pool: PrimaryPool;
  /** Rises whenever something is forgotten: what was being read before may not be remembered. */
  private generation = 0;

  constructor(shards: Shards) {
    super();
    this.pool = shards.pool(HOME_SHARD, 'control');
  }

  override async find(organizationId: string): Promise<Organization | undefined> {
    return (await this.look('id', organizationId))?.organization;
  }

  override async findBySlug(slug: string): Promise<Organization | undefined> {
    return (await this.look('slug', slug))?.organization;
  }

  override async whereabouts(organizationId: string): Promise<Whereabouts> {
    const gone = this.gone.get(organizationId);
    if (gone && isFresh(gone)) return { organization: undefined, movedTo: gone.movedTo };
    const { generation } = this;
    const readAt = Date.now();
    const organization = await this.find(organizationId);
    if (organization) return { organization };
    const movedTo = await this.movedTo(organizationId);
    if (generation === this.generation) this.gone.set(organizationId, { movedTo, readAt });
    return { organization, movedTo };
  }

  override locate(organizationId: string): LocatedOrganization | Promise<LocatedOrganization | undefined> {
    return this.remembered('id', organizationId) ?? this.look('id', organizationId);
  }

  override forget(organizationId: string): void {
    this.generation += 1;
    this.loading.clear();
    this.gone.delete(organizationId);
    const known = this.known.get(keyOf('id', organizationId));
    if (known) this.remember({ ...known, readAt: NEVER }); // still better than nothing while the database is away
  }

  override async *all(): AsyncIterable<Organization> {
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const { rows } = await this.select(`where o.id > $1 order by o.id limit ${PAGE}`, after);
      const page = rows.map(toOrganization);
      yield* page;
      if (page.length < PAGE) return;
      after = page[page.length - 1]!.id;
    }
  }

  private remembered(by: LookUp, value: string): Known | undefined {
    const known = this.known.get(keyOf(by, value));
    return known && isFresh(known) ? known : undefined;
  }

  private async look(by: LookUp, value: string): Promise<LocatedOrganization | undefined> {
    const remembered = this.remembered(by, value);
    if (remembered) return remembered;
    const old = this.known.get(keyOf(by, value));
    try {
      return await this.load(by, value);
    } catch (error) {
      const translated = translateDatabaseError(error);
      const away = translated instanceof StockyardError && translated.category === 'unavailable';
      if (old && away) return { organization: old.organization, fresh: false };
      throw translated;
    }
  }

  /** One load at a time for each key: a burst after expiry asks the database once. */
  private load(by: LookUp, value: string): Promise<Known | undefined> {
    const key = keyOf(by, value);
    const running = this.loading.get(key);
    if (running) return running;
    const started = this.read(by, value).finally(() => {
      if (this.loading.get(key) === started) this.loading.delete(key);
    });
    this.loading.set(key, started);
    return started;
  }

  private async read(by: LookUp, value: string): Promise<Known | undefined> {
    const { generation } = this;
    const readAt = Date.now();
    const [answer] = (await this.pool.queryAnywhere<Answer>(LOOK_UP[by], [value])).rows;
    const { is_replica: isReplica } = answer!;
    if (!isFound(answer!)) return this.missing(keyOf(by, value), isReplica);
    const entry = { organization: toOrganization(answer), fresh: !isReplica, readAt };
    const known = this.known.get(keyOf('id', entry.organization.id));
    if (known && known.organization.epoch > entry.organization.epoch) return { ...known, fresh: false };
    if (generation === this.generation) this.remember(entry);
    return entry;
  }

  private missing(key: string, isReplica: boolean): Known | undefined {
    const known = this.known.get(key);
    if (known && isReplica) return { ...known, fresh: false };
    this.known.delete(key);
    return undefined;
  }

  private async movedTo(organizationId: string): Promise<string | undefined> {
    try {
      const { rows } = await this.pool.queryAnywhere<{ movedTo: string | null }>(MOVED_TO, [organizationId]);
      return rows[0]?.movedTo ?? undefined;
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  private remember(entry: Known): void {
    this.known.set(keyOf('id', entry.organization.id), entry);
    this.known.set(keyOf('slug', entry.organization.slug), entry);
  }

  private select(condition: string, value: string): Promise<QueryResult<OrganizationRow>> {
    return this.pool.queryAnywhere<OrganizationRow>(`${SELECT_ORGANIZATION} ${condition}`, [value]);
  }
}

function isFresh({ readAt }: { readonly readAt: number }): boolean {
  return Date.now() - readAt < FRESH_MS;
}

function isFound(answer: Answer): answer is Answer & OrganizationRow {
  return answer.id !== null;
}
