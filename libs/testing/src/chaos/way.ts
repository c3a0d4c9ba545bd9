/**
 * A chaos double: a way to a server that can be cut, made to swallow everything or only the answers, or be long, from the
 * beginning or later; it opens again on the same port.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { DelayLine } from './delay-line';

export interface WayOptions {
  /** Added to each round trip, half on the way there and half on the way back (how exactly: {@link DelayLine}). Default 0. */
  readonly roundTripMs?: number;
}

/** What does not arrive any more. */
type Swallowed = 'nothing' | 'answers' | 'everything';

export class Way {
  private readonly sockets = new Set<Socket>();
  private readonly lines: readonly [there: DelayLine, back: DelayLine];
  private swallowed: Swallowed = 'nothing';
  private server: Server | undefined;
  private port = 0;

  /** `target` is the URL of a server with host and port. */
  constructor(
    private readonly target: string,
    { roundTripMs = 0 }: WayOptions = {},
  ) {
    this.lines = [new DelayLine(roundTripMs / 2), new DelayLine(roundTripMs / 2)];
  }

  /** The target's URL, leading through this way. */
  get url(): string {
    const parsed = new URL(this.target);
    parsed.port = String(this.port);
    return parsed.toString();
  }

  async open(): Promise<void> {
    this.swallowed = 'nothing';
    const { hostname, port } = new URL(this.target);
    this.server = createServer({ noDelay: true }, (near) => {
      const far = connect({ host: hostname, port: Number(port), noDelay: true });
      const [there, back] = this.lines;
      this.lead(near, far, there, () => this.swallowed === 'everything');
      this.lead(far, near, back, () => this.swallowed !== 'nothing');
    });
    await new Promise<void>((resolve) => this.server!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as { port: number }).port;
  }

  /** From now on each round trip takes so much more than it does without this way. */
  becomeLong(roundTripMs: number): void {
    for (const line of this.lines) line.delayMs = roundTripMs / 2;
  }

  /** Connections stay, and nothing arrives any more: what a frozen server looks like. */
  swallow(): void {
    this.swallowed = 'everything';
  }

  /** The server gets and executes what is sent; its answers are lost, such as the confirmation of a commit. */
  swallowAnswers(): void {
    this.swallowed = 'answers';
  }

  /** Connections break, what is on its way is lost, and new connections are refused. */
  async cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => (this.server ? this.server.close(() => resolve()) : resolve()));
    for (const line of this.lines) line.clear();
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
    await closed;
    this.server = undefined;
  }

  private lead(from: Socket, to: Socket, line: DelayLine, isSwallowed: () => boolean): void {
    this.sockets.add(from);
    from.on('error', () => undefined);
    from.on('data', (chunk) => isSwallowed() || line.put(() => to.write(chunk)));
    from.on('close', () => {
      this.sockets.delete(from);
      line.put(() => to.destroySoon());
    });
  }
}
