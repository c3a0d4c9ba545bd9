/**
 * Work of a batch in waves, to be added one after another. A wave goes to the queues class by class, so it ends before an
 * aggregate's next event goes to another queue than its last one did. Nearly always there is one.
 */
import type { OutboxMessage, QueuedWork } from '../registry/topic-registry';
import type { JobClass } from '../job-class';

export class WorkInOrder {
  readonly waves: QueuedWork[][] = [];
  private classes = new Map<string, JobClass>();

  push({ organizationId, aggregateType, aggregateId }: OutboxMessage, works: readonly QueuedWork[]): void {
    const aggregate = JSON.stringify([organizationId, aggregateType, aggregateId]);
    for (const work of works) {
      const last = this.classes.get(aggregate);
      if (this.waves.length === 0 || (last !== undefined && last !== work.class)) {
        this.waves.push([]);
        this.classes = new Map();
      }
      this.waves[this.waves.length - 1]!.push(work);
      this.classes.set(aggregate, work.class);
    }
  }
}
