/** The work of a request, where both Fastify's hooks and the logger find it: on Node's own message. */
import type { IncomingMessage } from 'node:http';
import type { Work } from '#libs/tracing';

const WORK = Symbol('work');

type Carrier = IncomingMessage & { [WORK]?: Work };

export function keepWork(message: IncomingMessage, work: Work): void {
  (message as Carrier)[WORK] = work;
}

export function workOf(message: object): Work | undefined {
  return (message as Carrier)[WORK];
}
