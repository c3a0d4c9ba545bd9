/**
 * One look that many readers share: made when somebody asks, at most every `everyMs`, and so that looking takes a tenth of the time
 * at most. Who asks while a look is under way waits for that one.
 */

/** Of the time that passes, looks take up to one part in so many. */
const PART_OF_TIME = 10;

/** A view as it was seen, and as it is sent. */
export interface Look<View> {
  readonly view: View;
  /** The view as JSON. */
  readonly text: string;
  /** All of it that says something new: two looks of the same content are one to who follows. */
  readonly content: string;
}

interface Dated {
  readonly taken_at: string;
  readonly period: { readonly to: string };
}

export class SharedView<View extends Dated> {
  private current: Promise<Look<View>> | undefined;
  private nextAt = 0;

  /** `now`: the clock of the process, in milliseconds, unless a spec has its own. */
  constructor(
    private readonly everyMs: number,
    private readonly make: () => Promise<View>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Rejects as making it does. */
  look(): Promise<Look<View>> {
    if (this.current && this.now() < this.nextAt) return this.current;
    const began = this.now();
    this.nextAt = Infinity;
    const made = this.make().then(lookAt);
    this.current = made;
    const rest = () => (this.nextAt = began + Math.max(this.everyMs, PART_OF_TIME * (this.now() - began)));
    made.then(rest, () => (this.current = undefined));
    return made;
  }
}

function lookAt<View extends Dated>(view: View): Look<View> {
  const { taken_at: _, period, ...rest } = view;
  const { to: __, ...times } = period;
  return { view, text: JSON.stringify(view), content: JSON.stringify([times, rest]) };
}
