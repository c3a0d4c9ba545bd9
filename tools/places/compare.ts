/**
 * The directory against the places on the shards: the same after every operation, and different where one of them was restored to
 * another moment. Says for each organization what is different, and what brings both together where that can be told.
 */

export interface DirectoryEntry {
  readonly id: string;
  readonly slug: string;
  readonly state: string;
  readonly epoch: number;
  readonly tier: string;
  readonly shard: string;
}

export interface PlaceOnShard {
  readonly shard: string;
  readonly tenant: string;
  readonly epoch: number;
  readonly state: string;
}

/** An organization's entry as it should be, and the states of its places. All get one new epoch. */
export interface Repair {
  /** Where it lives. */
  readonly shard: string;
  /** Above all that any of them had: what processes and tokens remember of before is void. */
  readonly epoch: number;
  /** Shards whose place is of the past, which nobody may enter. */
  readonly past: readonly string[];
}

export interface Difference {
  readonly organization: string;
  readonly slug: string | undefined;
  readonly what: string;
  /** Undefined where a person has to decide. */
  readonly repair: Repair | undefined;
}

/** States in which a tenant lives on a shard. */
const LIVES = ['open', 'suspended', 'fenced'];
/** States of organizations that an operation is at work on, or was when the directory was restored. */
const IN_OPERATION = ['arriving', 'deleting'];

/** `places`: of all shards that `shards` names; organizations on others are not looked at. */
export function compare(
  entries: readonly DirectoryEntry[],
  places: readonly PlaceOnShard[],
  shards: readonly string[],
): Difference[] {
  const byTenant = Map.groupBy(places, ({ tenant }) => tenant);
  const known = new Set(entries.map(({ id }) => id));
  const differences = entries
    .filter(({ shard }) => shards.includes(shard))
    .flatMap((entry) => differencesOf(entry, byTenant.get(entry.id) ?? []));
  const strangers = [...byTenant].filter(([tenant]) => !known.has(tenant)).flatMap(([, all]) => strangersOf(all));
  return [...differences, ...strangers];
}

function differencesOf(entry: DirectoryEntry, places: readonly PlaceOnShard[]): Difference[] {
  const { id: organization, slug, shard, epoch, state } = entry;
  const difference = (what: string, repair?: Repair) => [{ organization, slug, what, repair }];
  if (state === 'deleting' || places.some((place) => IN_OPERATION.includes(place.state)))
    return difference('an operation is under way, or was when this was kept: look at its operations');
  const here = places.find((place) => place.shard === shard);
  const alive = places.filter((place) => LIVES.includes(place.state));
  const newest = alive.toSorted((one, other) => other.epoch - one.epoch)[0];
  if (newest === undefined)
    return difference(`lives on ${shard} by the directory, and no shard has it${here ? ` (${here.state})` : ''}`);
  const wanted = state === 'suspended' ? 'suspended' : 'open';
  const top = Math.max(epoch, ...places.map((place) => place.epoch)) + 1;
  const repaired = (to: string): Repair => ({
    shard: to,
    epoch: top,
    past: places.map((place) => place.shard).filter((one) => one !== to),
  });
  if (newest.shard !== shard && newest.epoch > epoch)
    return difference(`lives on ${newest.shard}, of which the directory does not know`, repaired(newest.shard));
  if (here === undefined || !LIVES.includes(here.state))
    return difference(
      `lives on ${shard} by the directory, which has ${here ? `it as ${here.state}` : 'no place for it'}; ` +
        `${newest.shard} has an older state of it`,
    );
  if (here.epoch !== epoch)
    return difference(`has epoch ${epoch} in the directory and ${here.epoch} on ${shard}`, repaired(shard));
  if (here.state !== wanted && here.state !== 'fenced')
    return difference(`is ${state} in the directory and ${here.state} on ${shard}`, repaired(shard));
  const others = alive.filter((place) => place.shard !== shard);
  if (others.length > 0)
    return difference(`has an older place on ${others.map((place) => place.shard).join(', ')} too`, repaired(shard));
  return [];
}

function strangersOf(places: readonly PlaceOnShard[]): Difference[] {
  return places
    .filter(({ state }) => LIVES.includes(state))
    .map(({ tenant, shard }) => ({
      organization: tenant,
      slug: undefined,
      what: `lives on ${shard}, and the directory does not have it`,
      repair: undefined,
    }));
}
