// TCP ports of this machine: which is free, and any free one.
import { connect, createServer } from 'node:net';
import { ServerError } from './server-error';
import { waitFor } from './wait-for';

const HOST = '127.0.0.1';

/** A port that was free a moment ago on 127.0.0.1. Another process may take it before the caller does. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: HOST, exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Whether a server could listen on 127.0.0.1:`port` now: it can be bound, and nobody answers there (wildcards too). */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canBind(port)) && !(await answers(port));
}

/** `wanted` when it is free, else another free port. */
export async function preferPort(wanted: number | undefined): Promise<number> {
  return wanted !== undefined && wanted > 0 && (await isPortFree(wanted)) ? wanted : freePort();
}

/** Rejects with a ServerError when 127.0.0.1:`port` does not become free within 3 seconds. */
export async function requireFreePort(port: number, forWhat: string): Promise<void> {
  try {
    await waitFor(() => isPortFree(port), { what: 'the port', timeoutMs: 3_000 });
  } catch (cause) {
    throw new ServerError(`Port ${port} is in use: ${forWhat} cannot start on it.`, { cause });
  }
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(500, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
