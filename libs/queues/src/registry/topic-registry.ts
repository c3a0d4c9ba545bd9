/**
 * Who consumes which outbox topic. A consumer subscribes a route that turns a message into work for a queue; the relay
 * asks for the routes of each row it publishes. A topic without routes is marked published and goes nowhere.
 */
import { Injectable } from '@nestjs/common';
import type { JobClass } from '../job-class';

export interface OutboxMessage {
  /** Id of the outbox row: what an inbox de-duplicates by. */
  readonly id: string;
  /** Whole number as text: of two events of an aggregate, the later one has the higher. */
  readonly seq: string;
  readonly organizationId: string;
  readonly topic: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly payload: unknown;
  /** The trace that it belongs to. */
  readonly traceparent?: string | null;
}

/** One BullMQ job to be. */
export interface QueuedWork {
  readonly class: JobClass;
  readonly name: string;
  /** Derived from the outbox row, so that adding it again changes nothing. No colon, not a whole number. */
  readonly jobId: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly organizationId: string;
  /** What it takes of its tenant's share. */
  readonly cost: number;
  readonly attempts: number;
  readonly backoffMs: number;
  /** Not before. */
  readonly runAt?: Date;
  /** What its span continues; set by the relay. */
  readonly traceparent?: string;
  /** Jobs of the same tenant and class that are less urgent; it changes places with the first that still waits. */
  readonly aheadOf?: readonly string[];
}

/** Throws for a message that it cannot read; the relay logs that and goes on. */
export type TopicRoute = (message: OutboxMessage) => QueuedWork;

@Injectable()
export class TopicRegistry {
  private readonly topics = new Map<string, TopicRoute[]>();

  subscribe(topic: string, route: TopicRoute): void {
    this.topics.set(topic, [...(this.topics.get(topic) ?? []), route]);
  }

  routes(topic: string): readonly TopicRoute[] {
    return this.topics.get(topic) ?? [];
  }
}
