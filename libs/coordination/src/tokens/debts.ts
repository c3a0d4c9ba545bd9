/** Tokens that could not be kept, by the server that they are owed to; the newest of each caller, and so many in all. */
const MOST = 10_000;

export interface Debt {
  readonly organizationId: string;
  readonly caller: string;
  readonly sealed: string;
  readonly rank: string;
}

export class Debts {
  private readonly byServer = new Map<string, Map<string, Debt>>();
  private size = 0;

  constructor(private readonly serverOf: (organizationId: string) => string) {}

  get any(): boolean {
    return this.size > 0;
  }

  servers(): string[] {
    return [...this.byServer.keys()];
  }

  add(debt: Debt): void {
    const server = this.serverOf(debt.organizationId);
    const debts = this.byServer.get(server) ?? new Map<string, Debt>();
    this.byServer.set(server, debts);
    const key = `${debt.organizationId} ${debt.caller}`;
    const known = debts.get(key);
    if (known && known.rank >= debt.rank) return;
    if (!known) this.size += 1;
    debts.set(key, debt);
    if (this.size > MOST) this.remove(this.byServer.values().next().value!.values().next().value!);
  }

  /** Some of those owed to a server. */
  some(server: string, most: number): Debt[] {
    return [...(this.byServer.get(server)?.values() ?? [])].slice(0, most);
  }

  /** Paid, unless a newer one has taken its place. */
  remove({ organizationId, caller, rank }: Debt): void {
    const key = `${organizationId} ${caller}`;
    for (const [server, debts] of this.byServer) {
      if (debts.get(key)?.rank !== rank) continue;
      debts.delete(key);
      this.size -= 1;
      if (debts.size === 0) this.byServer.delete(server);
    }
  }

  forget(organizationId: string): void {
    for (const debts of [...this.byServer.values()])
      for (const debt of [...debts.values()]) if (debt.organizationId === organizationId) this.remove(debt);
  }

  /** After servers took over from others: each debt to whom it is owed by now. */
  assign(): void {
    const all = [...this.byServer.values()].flatMap((debts) => [...debts.values()]);
    this.byServer.clear();
    this.size = 0;
    for (const debt of all) this.add(debt);
  }
}
