/** What each process says of itself every few seconds, for whatever scales by it: a name of the three and numbers. */
import { closed, shape, type ShapeType } from '#libs/kernel';
import { redisKey } from '#libs/redis';
import Type from 'typebox';
import { PROCESS_NAMES } from '../process-name';

const AMOUNT = Type.Number({ minimum: 0, maximum: 1e9 });

export const PROCESS_SIGNALS = shape(
  closed({
    process: Type.Enum([...PROCESS_NAMES]),
    requests_per_second: AMOUNT,
    p95_ms: AMOUNT,
    cpu_ratio: AMOUNT,
    memory_ratio: AMOUNT,
    /** Its release. */
    version: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  }),
);
export type ProcessSignals = ShapeType<typeof PROCESS_SIGNALS>;

/** How often a process speaks, and after which silence it is gone. */
export const SPEAK_MS = 5_000;
export const SILENCE_MS = 3 * SPEAK_MS;

/** Sorted set of processes by when they spoke, and hash of what they said. Of the Redis of the queues, which is one server. */
export function signalKeys(prefix: string): [heard: string, said: string] {
  return [redisKey(prefix, 'signals', null, 'heard'), redisKey(prefix, 'signals', null, 'said')];
}
