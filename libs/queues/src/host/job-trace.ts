/**
 * A delivery of a job as work: it continues the trace of what caused the job, and its id, class and type stand in every line that
 * is logged meanwhile. Each attempt has a span of its own.
 */
import { SpanKind } from '@opentelemetry/api';
import { failSpan, parseTraceparent, type Tracing, type Work } from '#libs/tracing';
import type { Job } from 'bullmq';
import type { JobOutcome } from './job-outcome';

type Facts = { readonly job_id?: unknown; readonly organization_id?: unknown };

/** What the queue says of it is input like any other: what does not fit is left out. */
const SHORT = /^[\w.:-]{1,100}$/;
const short = (value: unknown, otherwise: string): string =>
  typeof value === 'string' && SHORT.test(value) ? value : otherwise;

export function beginJob(tracing: Tracing, job: Job): Work {
  const { job_id, organization_id } = (job.data ?? {}) as Facts;
  const [type, tenant] = [short(job.name, 'unknown'), short(organization_id, '')];
  const facts = { job_id: short(job_id, short(job.id, 'unknown')), job_class: job.queueName, job_type: type };
  const parent = parseTraceparent(job.opts.telemetry?.metadata);
  if (!tracing.isOn) return tracing.unrecorded(parent, facts);
  return tracing.begin({
    ...{ name: `process ${type}`, kind: SpanKind.CONSUMER, parent, facts },
    attributes: {
      'messaging.system': 'bullmq',
      'messaging.operation.type': 'process',
      'messaging.destination.name': job.queueName,
      'messaging.message.id': short(job.id, 'unknown'),
      'stockyard.job.id': facts.job_id,
      'stockyard.job.attempt': job.attemptsMade + 1,
      ...(tenant !== '' && { 'stockyard.organization_id': tenant }),
    },
  });
}

export function endJob({ span }: Work, outcome: JobOutcome | undefined): void {
  if (!span) return;
  if (outcome) span.setAttribute('stockyard.job.outcome', outcome.kind);
  if (outcome && 'error' in outcome) failSpan(span, outcome.error);
  span.end();
}
