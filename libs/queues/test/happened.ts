/** Events of an aggregate that are numbered in the order in which they committed. */
import type { OutboxMessage, QueuedWork } from '../src';

export const HAPPENED = 'test.happened';
export const HAPPENED_CLASS = 'normal';

export function happenedWork({ organizationId, aggregateId, payload }: OutboxMessage): QueuedWork {
  const { n } = payload as { n: number };
  return {
    ...{ class: HAPPENED_CLASS, name: HAPPENED, jobId: `happened-${aggregateId}-${n}`, organizationId },
    ...{ data: { aggregate: aggregateId, n }, cost: 1, attempts: 1, backoffMs: 100 },
  };
}
