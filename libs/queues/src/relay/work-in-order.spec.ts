import type { OutboxMessage, QueuedWork } from '../registry/topic-registry';
import { WorkInOrder } from './work-in-order';

const message = (aggregateId: string) => ({ organizationId: 'o', aggregateType: 'a', aggregateId }) as OutboxMessage;
const work = (jobId: string, jobClass: QueuedWork['class']) => ({ jobId, class: jobClass }) as QueuedWork;
const waves = (events: readonly (readonly [aggregate: string, ...works: QueuedWork[]])[]) => {
  const ordered = new WorkInOrder();
  for (const [aggregate, ...works] of events) ordered.push(message(aggregate), works);
  return ordered.waves.map((wave) => wave.map(({ jobId }) => jobId).join());
};

describe('WorkInOrder', () => {
  it('is one wave while no aggregate changes the queue', () => {
    expect(waves([['a', work('1', 'low')], ['b', work('2', 'critical')], ['c'], ['a', work('3', 'low')]])).toEqual([
      '1,2,3',
    ]);
    expect(waves([['a']])).toEqual([]);
  });

  it('begins another before an event that goes elsewhere than the last one of its aggregate', () => {
    expect(
      waves([
        ['a', work('1', 'low')],
        ['b', work('2', 'critical')],
        ['a', work('3', 'critical'), work('4', 'low')],
        ['b', work('5', 'critical')],
      ]),
    ).toEqual(['1,2', '3', '4,5']);
  });
});
