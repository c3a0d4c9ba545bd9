/** Time as a dependency, so that tests can move it. Wall clock in Unix milliseconds. */
export abstract class Clock {
  abstract nowMs(): number;

  now(): Date {
    return new Date(this.nowMs());
  }
}

export class SystemClock extends Clock {
  override nowMs(): number {
    return Date.now();
  }
}

/** A clock that stands still until it is moved. For tests. */
export class ManualClock extends Clock {
  constructor(private currentMs: number = Date.UTC(2026, 0, 1)) {
    super();
  }

  override nowMs(): number {
    return this.currentMs;
  }

  advance(ms: number): void {
    this.currentMs += ms;
  }
}
