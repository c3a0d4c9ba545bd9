/**
 * Cuts off clients that do not read. While something waits to be sent on a connection, the kernel must take
 * ANSWER_MIN_BYTES_PER_SECOND of it in each ANSWER_WINDOW_MS; else the connection is reset, which closes what the answer came
 * from: a file, a query, an event stream. What the client itself sends meanwhile does not count, unlike for Node's own timeout.
 */
import type { Socket } from 'node:net';
import type { EdgeLimits } from './edge-limits';

const CHECKS_PER_WINDOW = 4;

interface Window {
  readonly beganAt: number;
  readonly taken: number;
}

/**
 * Bytes that the kernel has taken. Node counts what was handed to a socket; only its handle knows how much of a large piece has
 * left. 0 for a socket without one, which is being closed.
 */
function takenOf(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { bytesWritten: number; writeQueueSize: number } | null };
  return handle ? handle.bytesWritten - handle.writeQueueSize : 0;
}

export class SlowReaders {
  private readonly sockets = new Set<Socket>();
  private readonly windows = new WeakMap<Socket, Window>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly limits: Pick<EdgeLimits, 'ANSWER_MIN_BYTES_PER_SECOND' | 'ANSWER_WINDOW_MS'>) {}

  watch(socket: Socket): void {
    this.sockets.add(socket);
    this.timer ??= setInterval(() => this.check(), this.limits.ANSWER_WINDOW_MS / CHECKS_PER_WINDOW).unref();
    socket.once('close', () => {
      this.sockets.delete(socket);
      if (this.sockets.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    });
  }

  private check(): void {
    const now = performance.now();
    for (const socket of this.sockets) {
      if (socket.writableLength === 0) this.windows.delete(socket);
      else if (this.isTooSlow(socket, now)) socket.resetAndDestroy();
    }
  }

  private isTooSlow(socket: Socket, now: number): boolean {
    const { ANSWER_WINDOW_MS, ANSWER_MIN_BYTES_PER_SECOND } = this.limits;
    const taken = takenOf(socket);
    const window = this.windows.get(socket);
    if (window && now - window.beganAt < ANSWER_WINDOW_MS) return false;
    this.windows.set(socket, { beganAt: now, taken });
    return (
      window !== undefined && taken - window.taken < (ANSWER_MIN_BYTES_PER_SECOND * (now - window.beganAt)) / 1_000
    );
  }
}
