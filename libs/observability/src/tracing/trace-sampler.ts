/**
 * Which spans are recorded. Below another span: as that one is. At the beginning of a trace: by the ratio, except for work that is
 * linked with recorded traces, such as a batch of the relay, which is recorded as they are.
 */
import { type Attributes, type Context, type Link, type SpanKind, TraceFlags } from '@opentelemetry/api';
import {
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

class LinkedOrRatio implements Sampler {
  private readonly byRatio: Sampler;

  constructor(ratio: number) {
    this.byRatio = new TraceIdRatioBasedSampler(ratio);
  }

  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    const isLinked = links.some((link) => (link.context.traceFlags & TraceFlags.SAMPLED) !== 0);
    if (isLinked) return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    return this.byRatio.shouldSample(context, traceId, name, kind, attributes, links);
  }

  toString(): string {
    return `LinkedOrRatio{${this.byRatio.toString()}}`;
  }
}

export function traceSampler(ratio: number): Sampler {
  return new ParentBasedSampler({ root: new LinkedOrRatio(ratio) });
}
