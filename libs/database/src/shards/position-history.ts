/** When the primary was first seen at which position: turns "how far" of a replica into "how old". */

const CAPACITY = 512;

export class PositionHistory {
  private readonly seen: { readonly position: string; readonly atMs: number }[] = [];

  /** `position` as 16 hex digits. A position that is not beyond the last one adds nothing. */
  note(position: string, atMs: number): void {
    const last = this.seen[this.seen.length - 1];
    if (last && position <= last.position) return;
    this.seen.push({ position, atMs });
    if (this.seen.length > CAPACITY) this.seen.shift();
  }

  get latest(): string {
    return this.seen[this.seen.length - 1]?.position ?? '';
  }

  /**
   * Age in milliseconds of the oldest known position that lies beyond `position`: what a reader there misses at most, give
   * or take a probe's interval. 0 where nothing does.
   */
  ageOf(position: string, nowMs: number): number {
    const next = this.seen.find((entry) => entry.position > position);
    return next ? nowMs - next.atMs : 0;
  }

  /** Another timeline's positions mean nothing here. */
  clear(): void {
    this.seen.length = 0;
  }
}
