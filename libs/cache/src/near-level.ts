/**
 * The first level, in this process: values for about a second, and the loads that are under way. A value hangs on its namespace
 * and tags; each of them is a group that is alive until it is invalidated, so that forgetting all that hangs on one is
 * O(1). Bounded by bytes, of which one tenant has an eighth at most: what would be beyond is not kept, and as values live for a
 * second, its place is soon free again.
 */
import { LRUCache } from 'lru-cache';
import type { CacheGroup, EntryAddress } from './cache-keys';

const MAX_GROUPS = 50_000;
const TENANT_PART = 8;
/** What a value costs beside its JSON: keys, maps and the object. A guess on the high side for small ones. */
const OVERHEAD_BYTES = 500;
/** An object takes about twice the memory of its JSON (strings of one byte a character, numbers, hidden classes shared). */
const EXPANSION = 2;
/** How often values that have ended are looked for on behalf of a tenant that has no place left. */
const PURGE_EVERY_MS = 100;

interface Group {
  alive: boolean;
}

/** A load, which counts as long as nothing that its value hangs on was invalidated. */
export interface Load {
  readonly id: string;
  readonly organizationId: string;
  readonly groups: readonly Group[];
  /** On the clock of performance.now(). */
  readonly begunAt: number;
  alive: boolean;
  /** What others wait for; undefined for a load in the background. */
  landing?: Promise<unknown>;
}

interface NearValue {
  readonly value: unknown;
  readonly organizationId: string;
  readonly groups: readonly Group[];
  readonly size: number;
}

export interface Kept {
  readonly value: unknown;
  /** Of its JSON. */
  readonly bytes: number;
  /** When it was last known to be the newest, on the clock of performance.now(), and for how long from then on it may be kept. */
  readonly validAt: number;
  readonly lifeMs: number;
}

export class NearLevel {
  private readonly values: LRUCache<string, NearValue>;
  private readonly groups = new LRUCache<string, Group>({
    max: MAX_GROUPS,
    dispose: (group) => (group.alive = false), // one that is not found any more can not be invalidated
  });
  private readonly loads = new Map<string, Set<Load>>();
  private readonly used = new Map<string, number>();
  private purgedAt = -Infinity;

  constructor(private readonly maxBytes: number) {
    this.values = new LRUCache({
      maxSize: maxBytes,
      ttlResolution: 0, // else it asks for the time once a turn, and a process that stood still in one answers with what has ended
      sizeCalculation: ({ size }) => size,
      dispose: (value) => this.free(value),
    });
  }

  /** Bytes that are counted, of one tenant or of all. */
  bytes(organizationId?: string): number {
    return organizationId === undefined ? this.values.calculatedSize : (this.used.get(organizationId) ?? 0);
  }

  get({ id }: EntryAddress): { readonly value: unknown } | undefined {
    const found = this.values.get(id);
    return found && areAlive(found.groups) ? found : undefined;
  }

  /**
   * The load of an address that can be joined: nothing was invalidated since it began, and it began within `lifeMs`, so that who
   * joins gets nothing older than memory may be.
   */
  joinable({ id }: EntryAddress, lifeMs: number): Promise<unknown> | undefined {
    const loads = this.loads.get(id);
    if (!loads) return undefined;
    const earliest = performance.now() - lifeMs;
    for (const load of loads)
      if (load.landing && load.alive && load.begunAt >= earliest && areAlive(load.groups)) return load.landing;
    return undefined;
  }

  /** Begins a load. It is to be ended, whatever becomes of it. */
  begin(address: EntryAddress): Load {
    const { id, organizationId, namespace, tags } = address;
    const groups = [this.group({ organizationId, namespace, tag: null })];
    for (const tag of tags) groups.push(this.group({ organizationId, namespace: null, tag }));
    const load: Load = { id, organizationId, groups, begunAt: performance.now(), alive: true };
    const loads = this.loads.get(id);
    if (loads) loads.add(load);
    else this.loads.set(id, new Set([load]));
    return load;
  }

  /** Keeps what a load has come to, unless it was invalidated on its way or its tenant has no place left. */
  keep(load: Load, { value, bytes, validAt, lifeMs }: Kept): void {
    const now = performance.now();
    const leftMs = Math.floor(validAt + lifeMs - now);
    if (leftMs <= 0 || !load.alive || !areAlive(load.groups)) return;
    const { id, organizationId, groups } = load;
    const size = bytes * EXPANSION + OVERHEAD_BYTES;
    this.values.delete(id);
    if (!this.hasRoom(organizationId, size)) return;
    this.used.set(organizationId, (this.used.get(organizationId) ?? 0) + size);
    this.values.set(id, { value, organizationId, groups, size }, { ttl: leftMs, start: now });
  }

  end(load: Load): void {
    const loads = this.loads.get(load.id);
    loads?.delete(load);
    if (loads?.size === 0) this.loads.delete(load.id);
  }

  /** Forgets an entry, its loads included. */
  forget({ id }: EntryAddress): void {
    this.values.delete(id);
    for (const load of this.loads.get(id) ?? []) load.alive = false;
  }

  /** Forgets all that hangs on a namespace or tag. */
  forgetGroup(group: CacheGroup): void {
    this.groups.delete(groupId(group));
  }

  private group(of: CacheGroup): Group {
    const id = groupId(of);
    const known = this.groups.get(id);
    if (known) return known;
    const made: Group = { alive: true };
    this.groups.set(id, made);
    return made;
  }

  private hasRoom(organizationId: string, size: number): boolean {
    const most = this.maxBytes / TENANT_PART;
    const fits = () => (this.used.get(organizationId) ?? 0) + size <= most;
    if (fits()) return true;
    const now = performance.now();
    if (now - this.purgedAt < PURGE_EVERY_MS) return false;
    this.purgedAt = now;
    this.values.purgeStale();
    return fits();
  }

  private free({ organizationId, size }: NearValue): void {
    const left = (this.used.get(organizationId) ?? 0) - size;
    if (left > 0) this.used.set(organizationId, left);
    else this.used.delete(organizationId);
  }
}

function groupId({ organizationId, namespace, tag }: CacheGroup): string {
  return tag === null ? `${organizationId}:${namespace}` : `${organizationId}#${tag}`;
}

function areAlive(groups: readonly Group[]): boolean {
  for (const group of groups) if (!group.alive) return false;
  return true;
}
