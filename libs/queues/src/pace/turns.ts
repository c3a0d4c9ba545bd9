/**
 * Whose turn it is among the jobs at one gate. Between tenants by start-time fair queueing (docs/adr/0009-fair-queues.md) over the time
 * that their jobs have spent inside, divided by the weight of the tier: who has had the least of it is next, and nobody saves up
 * turns while not there. Jobs of one tenant in the order in which they came, each for QUANTUM_MS before the next: short ones come to
 * their end one after another, which frees their slots for others, and a long one does not keep them waiting.
 */

/** Time inside after which a job gives its place to the next one of its tenant. */
export const QUANTUM_MS = 500;
/** Of a turn whose end is not known yet. */
const LEAST_MS = 1;
/** Tenants that are remembered although they may have nothing to say any more. */
const REMEMBERED = 256;

/** A job at the gate; the same one each time that it comes. */
export class Ticket {
  /** Its place among those of its tenant. */
  place = 0;
  /** Milliseconds inside since it had that place. */
  usedMs = 0;

  constructor(
    readonly tenant: string,
    readonly weight: number,
  ) {}
}

export class Turns {
  private places = 0;
  private virtual = 0;
  private readonly finished = new Map<string, number>();

  /** Of those that wait; undefined where nobody does. */
  next<W extends { readonly ticket: Ticket }>(waiting: Iterable<W>): W | undefined {
    let best: W | undefined;
    let least = Infinity;
    for (const waiter of waiting) {
      const start = this.startOf(waiter.ticket.tenant);
      if (best && (start > least || (start === least && waiter.ticket.place > best.ticket.place))) continue;
      [best, least] = [waiter, start];
    }
    return best;
  }

  /** It has come to the gate. */
  come(ticket: Ticket): void {
    if (ticket.place === 0) ticket.place = this.places += 1;
  }

  begin({ tenant, weight }: Ticket): void {
    this.virtual = this.startOf(tenant);
    this.finished.set(tenant, this.virtual + LEAST_MS / weight);
    if (this.finished.size > REMEMBERED) this.forget();
  }

  end(ticket: Ticket, tookMs: number): void {
    const { tenant, weight } = ticket;
    const begun = this.finished.get(tenant) ?? this.virtual; // what others had meanwhile is not for it to pay
    this.finished.set(tenant, begun + Math.max(0, tookMs - LEAST_MS) / weight);
    ticket.usedMs += tookMs;
    if (ticket.usedMs < QUANTUM_MS) return;
    ticket.usedMs = 0;
    ticket.place = this.places += 1;
  }

  private startOf(tenant: string): number {
    return Math.max(this.virtual, this.finished.get(tenant) ?? 0);
  }

  /** Those that are owed nothing; where these are too few, what all have had. */
  private forget(): void {
    for (const [tenant, finished] of this.finished) if (finished <= this.virtual) this.finished.delete(tenant);
    if (this.finished.size <= REMEMBERED) return;
    this.virtual = Math.max(...this.finished.values());
    this.finished.clear();
  }
}
