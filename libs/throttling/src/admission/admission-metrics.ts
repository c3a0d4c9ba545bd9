/** Shows the admission gate to Prometheus. */
import type { MetricsRegistry } from '#libs/observability';
import type { GateSnapshot } from './admission-gate';
import { PRIORITIES, type Priority } from './visitor';

const OUTCOMES = { admitted: 'admitted', shed: 'shed', expired: 'expired', held_back: 'heldBack' } as const;
const WAIT_BUCKETS_S = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Answers with what records a wait, in milliseconds. */
export function showAdmission(
  registry: MetricsRegistry | undefined,
  snapshot: () => GateSnapshot,
): (priority: Priority, ms: number) => void {
  if (!registry) return () => undefined;
  const each = (read: (priority: Priority) => number) =>
    PRIORITIES.map((priority) => ({ labels: { priority }, value: read(priority) }));
  registry.gauge({
    name: 'stockyard_admission_limit',
    help: 'Requests that this process works on at once, as found from how long they take.',
    read: () => [{ value: snapshot().limit }],
  });
  registry.gauge({
    name: 'stockyard_admission_in_flight',
    help: 'Requests that were let in and whose answer has not begun.',
    labels: ['priority'],
    read: () => each((priority) => snapshot().inFlight[priority]),
  });
  registry.gauge({
    name: 'stockyard_admission_waiting',
    help: 'Requests that wait for their turn.',
    labels: ['priority'],
    read: () => each((priority) => snapshot().waiting[priority]),
  });
  registry.counter({
    name: 'stockyard_admission_requests_total',
    help: "Requests at the gate: admitted, shed (no room to wait, or pushed out by a more urgent one), expired (waited in vain) or held back (by its tenant's window).",
    labels: ['priority', 'outcome'],
    read: () => {
      const counts = snapshot();
      return PRIORITIES.flatMap((priority) =>
        Object.entries(OUTCOMES).map(([outcome, of]) => ({
          labels: { priority, outcome },
          value: counts[of][priority],
        })),
      );
    },
  });
  const observe = registry.histogram({
    name: 'stockyard_admission_wait_seconds',
    help: 'How long requests that had to wait did so before they were let in.',
    labels: ['priority'],
    buckets: WAIT_BUCKETS_S,
  });
  return (priority, ms) => observe({ priority }, ms / 1_000);
}
