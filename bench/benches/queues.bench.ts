/**
 * Jobs in fair order against plain BullMQ on the same Redis: the same payload and options, one worker of the same concurrency each,
 * jobs that do nothing, so that only the queue itself is measured.
 *
 * - throughput: jobs are added, 200 a call, and done
 * - late_tenant: a tenant's 20 jobs come behind another's 100,000. Figure: how many jobs were done when its last one was. The
 *   reference is its fair position: of two tenants of the same weight it has every second turn, so 40
 * - late_tenant_plain: the same, against plain BullMQ, which does the 100,000 first
 */
import { newId } from '#libs/kernel';
import { createOrganization } from '#libs/testing';
import type { Bench, Comparison, Contestant } from '../harness/bench';
import { startBenchServers } from '../harness/servers';
import { FairLine } from './queues/fair';
import { CONCURRENCY, type Line, type SomeJob } from './queues/line';
import { PlainLine } from './queues/plain';

const MANY = 100_000;
const FEW = 20;
const TENANTS = 8;

const jobsOf = (organizationId: string, count: number): SomeJob[] =>
  Array.from({ length: count }, () => ({ id: newId(), organizationId }));

/** How many jobs were done when the last of a tenant's few was, which are added behind what is there already. */
async function lastPosition(line: Line, organizationId: string): Promise<number> {
  await line.hold();
  const few = jobsOf(organizationId, FEW);
  await line.add(few);
  const missing = new Set(few.map(({ id }) => `job-${id}`));
  const isLast = (id: string) => missing.delete(id) && missing.size === 0;
  const done = await line.doneUntil(isLast, () => line.release());
  await line.hold();
  return done;
}

export const QUEUES_BENCH: Bench = {
  name: 'queues',
  about: `jobs in fair order against plain BullMQ; one worker of ${CONCURRENCY} each, jobs that do nothing.`,
  async *compare(): AsyncGenerator<Comparison> {
    await using opened = new AsyncDisposableStack();
    const servers = await startBenchServers({ durable: false });
    opened.defer(() => servers.close());
    const { environment } = servers;
    const config = { ...environment.config, QUEUE_CONCURRENCY_CRITICAL: CONCURRENCY };
    const tenants = await Promise.all(Array.from({ length: TENANTS }, () => createOrganization(environment)));
    const fair = opened.use(await FairLine.open(config));
    const plain = opened.use(new PlainLine(config.REDIS_URL));

    const mixed = (operations: number): SomeJob[] =>
      Array.from({ length: operations }, (_, index) => ({ id: newId(), organizationId: tenants[index % TENANTS]!.id }));
    const throughput = (name: string, line: Line): Contestant => ({
      name,
      run: async (operations) => {
        let left = operations;
        await line.doneUntil(
          () => (left -= 1) === 0,
          () => line.add(mixed(operations)),
        );
      },
    });
    yield { name: 'throughput', subject: throughput('fair', fair), reference: throughput('plain', plain) };

    const [many, late] = [tenants[0]!, tenants[1]!];
    await fair.hold();
    await fair.add(jobsOf(many.id, MANY));
    const lateFair: Contestant = { name: 'fair', run: () => lastPosition(fair, late.id) };
    const fairPosition: Contestant = { name: 'fair_position', run: () => Promise.resolve(2 * FEW) };
    yield { name: 'late_tenant', measures: 'own', subject: lateFair, reference: fairPosition };

    const latePlain: Contestant = {
      name: 'plain',
      run: async () => {
        await plain.hold();
        await plain.add(jobsOf(many.id, MANY));
        return lastPosition(plain, late.id);
      },
    };
    yield { name: 'late_tenant_plain', measures: 'own', subject: lateFair, reference: latePlain };
  },
};
