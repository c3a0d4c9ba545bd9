/**
 * The connections of a process. States of one: resting (between two requests) ⇄ busy (requests under way) → leaving (it was told
 * that it is closed). One that comes beyond CONNECTIONS_LIMIT takes the place of the one that has rested for longest; where none
 * rests it is surplus: probes are answered, all else is refused, and it is closed soon.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { StockyardError } from '#libs/kernel';
import { type EdgeLimits, LINGER_MS, PIPELINE_LIMIT } from './edge-limits';

/** Whoever starts and stops the process must get an answer, most of all from one that is full. */
const PROBES = new Set(['/live', '/ready', '/api/ready']);
const RETRY_SECONDS = 1;

interface Connection {
  readonly answers: Set<ServerResponse>;
  readonly surplus: boolean;
  leaving: boolean;
}

export class Connections {
  private readonly known = new WeakMap<Socket, Connection>();
  /** With what each had sent when it came to rest, those that have rested for longest first. */
  private readonly resting = new Map<Socket, number>();
  private admitted = 0;

  constructor(private readonly limits: Pick<EdgeLimits, 'CONNECTIONS_LIMIT' | 'CONNECTIONS_LIMIT_IDLE'>) {}

  accept(socket: Socket): void {
    const surplus = this.admitted >= this.limits.CONNECTIONS_LIMIT && !this.closeLongestResting();
    this.known.set(socket, { answers: new Set(), surplus, leaving: false });
    if (!surplus) this.admitted += 1;
    const end = surplus ? setTimeout(() => socket.destroy(), LINGER_MS) : undefined;
    socket.once('close', () => {
      clearTimeout(end);
      this.resting.delete(socket);
      if (!surplus) this.admitted -= 1;
    });
  }

  /** False for a request of a connection that has been told that it is closed: nothing may come of it. */
  begin({ socket }: IncomingMessage, answer: ServerResponse): boolean {
    const connection = this.known.get(socket);
    if (connection === undefined) return true; // one that was injected, and is no connection
    if (connection.leaving) return false;
    this.resting.delete(socket);
    connection.answers.add(answer);
    answer.once('close', () => {
      connection.answers.delete(answer);
      // A surplus one has no place that another could take.
      if (connection.answers.size === 0 && !connection.surplus && !socket.destroyed) this.rest(socket);
    });
    return true;
  }

  /** Why a request may not go on. */
  refusal({ socket, url }: IncomingMessage): StockyardError | undefined {
    const connection = this.known.get(socket);
    if (connection?.surplus && !PROBES.has(url ?? '')) return tooManyConnections(this.limits.CONNECTIONS_LIMIT);
    if (connection && connection.answers.size > PIPELINE_LIMIT) return tooManyPipelined();
    return undefined;
  }

  stateOf(socket: Socket): { readonly leaving: boolean; readonly busy: boolean; readonly answering: boolean } {
    const { answers = new Set<ServerResponse>(), leaving = false } = this.known.get(socket) ?? {};
    return { leaving, busy: answers.size > 0, answering: [...answers].some(({ headersSent }) => headersSent) };
  }

  leave(socket: Socket): void {
    const connection = this.known.get(socket);
    if (connection) connection.leaving = true;
  }

  private rest(socket: Socket): void {
    this.resting.set(socket, socket.bytesRead);
    if (this.resting.size > this.limits.CONNECTIONS_LIMIT_IDLE) this.closeLongestResting();
  }

  /** One whose next request has begun to arrive no longer rests. */
  private closeLongestResting(): boolean {
    for (const [socket, bytesRead] of this.resting) {
      this.resting.delete(socket);
      if (socket.bytesRead !== bytesRead) continue;
      socket.destroy();
      return true;
    }
    return false;
  }
}

function tooManyConnections(limit: number): StockyardError {
  return new StockyardError({
    code: 'too_many_connections',
    category: 'unavailable',
    message: `This process keeps ${limit} connections open at once; connect again later.`,
    details: { limit },
    retryAfterSeconds: RETRY_SECONDS,
  });
}

function tooManyPipelined(): StockyardError {
  return new StockyardError({
    code: 'too_many_pipelined_requests',
    category: 'limited',
    message: `More than ${PIPELINE_LIMIT} requests of this connection are under way; wait for answers before you send more.`,
    details: { limit: PIPELINE_LIMIT },
    retryAfterSeconds: RETRY_SECONDS,
  });
}
