/** When to draw: once a frame however much has changed, and not at all while nobody looks. */
export interface Screen {
  /** Calls back before the next frame. */
  frame(draw: () => void): void;
  hidden(): boolean;
}

export class Renders {
  private asked = false;
  private stale = false;

  constructor(
    private readonly screen: Screen,
    private readonly draw: () => void,
  ) {}

  /** Something has changed. */
  request(): void {
    if (this.screen.hidden()) {
      this.stale = true;
      return;
    }
    if (this.asked) return;
    this.asked = true;
    this.screen.frame(() => {
      this.asked = false;
      if (this.screen.hidden()) this.stale = true;
      else this.draw();
    });
  }

  /** Somebody looks again: draws if anything has changed since. */
  shown(): void {
    if (!this.stale) return;
    this.stale = false;
    this.request();
  }
}
