/**
 * What the caller of the current work has seen of its organization: the newest consistency token it sent, was kept for
 * it, or got during this work. Lives as long as the tenant context; every flight reads it and adds to it.
 */
import { type ConsistencyToken, newerToken } from './consistency-token';

export interface SeenSoFar {
  /** The newest position; without one, only a primary can be sure to show the caller nothing older. */
  readonly token: ConsistencyToken | undefined;
  /** Whether that is known: false where the keeper of tokens could not be asked and none was sent. */
  readonly proven: boolean;
}

/** Looks up the token that is kept for the caller; undefined where none is. Rejects while the keeper is away. */
export type LoadKeptToken = () => Promise<ConsistencyToken | undefined>;

export class ConsistencyScope {
  private current: ConsistencyToken | undefined;
  private lookUp: Promise<SeenSoFar> | undefined;

  /**
   * `sent` came with the request or the job. `load` asks for what is kept for this caller; it runs once, and only if a read
   * could go to a replica. Without `load`, `sent` is all there is.
   */
  constructor(
    sent?: ConsistencyToken,
    private readonly load?: LoadKeptToken,
  ) {
    this.current = sent;
  }

  /** The newest token of this work so far. */
  get newest(): ConsistencyToken | undefined {
    return this.current;
  }

  observe(token: ConsistencyToken): void {
    this.current = newerToken(token, this.current);
  }

  async seen(): Promise<SeenSoFar> {
    const { load } = this;
    if (!load) return { token: this.current, proven: true };
    this.lookUp ??= load().then(
      (token) => ({ token, proven: true }),
      () => ({ token: undefined, proven: false }),
    );
    const kept = await this.lookUp;
    // A token of the client's own is proof enough: it says what this client has seen, whatever was kept.
    return { token: newerToken(this.current, kept.token), proven: kept.proven || this.current !== undefined };
  }
}
