// PING without a client library: whether a Redis on this machine answers and has loaded its data.
import { connect } from 'node:net';

/** True for +PONG, false for any other answer (e.g. -LOADING). Rejects when there is none within a second. */
export function redisPing(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(1_000, () => fail(new Error('no answer to PING')));
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('connection closed')));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('+PONG'));
      socket.destroy();
    });
  });
}
