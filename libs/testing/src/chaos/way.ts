/** A chaos double: a way to a server that can be cut, or made to swallow everything, and opened again on the same port. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Way {
  private readonly sockets = new Set<Socket>();
  private swallowing = false;
  private server: Server | undefined;
  private port = 0;

  /** `target` is the URL of a server with host and port. */
  constructor(private readonly target: string) {}

  /** The target's URL, leading through this way. */
  get url(): string {
    const parsed = new URL(this.target);
    parsed.port = String(this.port);
    return parsed.toString();
  }

  async open(): Promise<void> {
    this.swallowing = false;
    const { hostname, port } = new URL(this.target);
    this.server = createServer((near) => {
      const far = connect({ host: hostname, port: Number(port) });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(from);
        from.on('error', () => undefined);
        from.on('close', () => to.destroy());
        from.on('data', (chunk) => this.swallowing || to.write(chunk));
      }
    });
    await new Promise<void>((resolve) => this.server!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as { port: number }).port;
  }

  /** Connections stay, and nothing arrives any more: what a frozen server looks like. */
  swallow(): void {
    this.swallowing = true;
  }

  /** Connections break and new ones are refused. */
  async cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => (this.server ? this.server.close(() => resolve()) : resolve()));
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
    await closed;
    this.server = undefined;
  }
}
