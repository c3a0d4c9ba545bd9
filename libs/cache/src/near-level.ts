/**
 * The first level, in this process: values for about a second, and the loads that are under way. A generation per
 * (tenant, namespace) makes forgetting a whole namespace O(1): what was made under another generation counts no more.
 */
import { LRUCache } from 'lru-cache';
import type { EntryAddress } from './cache-keys';

const MAX_ENTRIES = 20_000;
const MAX_GENERATIONS = 20_000;

/** Told apart by identity, so that one which was evicted and made anew equals none before. */
type Generation = Readonly<Record<string, never>>;

interface NearValue {
  readonly value: unknown;
  readonly generation: Generation;
}

/** One load that everybody who asks meanwhile shares. */
export interface Flight {
  readonly generation: Generation;
  readonly landing: Promise<unknown>;
}

const groupOf = ({ organizationId, namespace }: Omit<EntryAddress, 'key'>): string => `${organizationId}:${namespace}`;
const idOf = (address: EntryAddress): string => `${groupOf(address)}:${address.key}`;

export class NearLevel {
  private readonly values = new LRUCache<string, NearValue>({ max: MAX_ENTRIES });
  private readonly generations = new LRUCache<string, Generation>({ max: MAX_GENERATIONS });
  private readonly flights = new Map<string, Flight>();

  get(address: EntryAddress): { readonly value: unknown } | undefined {
    const found = this.values.get(idOf(address));
    return found && found.generation === this.generation(address) ? found : undefined;
  }

  /** The load of an address that nothing has invalidated since it began. */
  flight(address: EntryAddress): Flight | undefined {
    const flight = this.flights.get(idOf(address));
    return flight && flight.generation === this.generation(address) ? flight : undefined;
  }

  /** Begins a load. What it lands with is kept for `lifeMs` of the landing, unless it was invalidated on its way. */
  begin<L extends { readonly value: unknown; readonly lifeMs: number }>(
    address: EntryAddress,
    load: () => Promise<L>,
  ): Promise<L> {
    const id = idOf(address);
    const landing = load();
    const flight: Flight = { generation: this.generation(address), landing };
    this.flights.set(id, flight);
    const valid = () => this.flights.get(id) === flight && flight.generation === this.generation(address);
    return landing
      .then((landed) => {
        if (valid())
          this.values.set(id, { value: landed.value, generation: flight.generation }, { ttl: landed.lifeMs });
        return landed;
      })
      .finally(() => {
        if (this.flights.get(id) === flight) this.flights.delete(id);
      });
  }

  /** Forgets an entry; with an empty key, all of the tenant's namespace. */
  forget(address: EntryAddress): void {
    if (address.key === '') {
      this.generations.delete(groupOf(address));
      return;
    }
    const id = idOf(address);
    this.values.delete(id);
    this.flights.delete(id);
  }

  private generation(address: EntryAddress): Generation {
    const group = groupOf(address);
    const known = this.generations.get(group);
    if (known) return known;
    const made: Generation = Object.freeze({});
    this.generations.set(group, made);
    return made;
  }
}
