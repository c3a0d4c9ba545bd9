/** Differences between the platform and the fold: all counted, the first ones kept to be shown. */

const SHOWN = 20;

export class Mismatches {
  readonly first: string[] = [];
  count = 0;

  add(difference: string): void {
    this.count += 1;
    if (this.first.length < SHOWN) this.first.push(difference);
  }

  /** Counts a difference where the two are not the same. */
  compare(what: string, found: unknown, expected: unknown): void {
    if (found !== expected) this.add(`${what}: the platform has ${String(found)}, the file gives ${String(expected)}`);
  }
}
