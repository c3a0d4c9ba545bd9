/** Counts of one process since its start; shown as Prometheus counters by libs/observability. */
import { Injectable } from '@nestjs/common';
import type { EnvelopeFault } from './envelope';

export type MessageFault = EnvelopeFault | 'unknown' | 'invalid_payload';

@Injectable()
export class MessagingStatistics {
  private accepted = 0;
  private lost = 0;
  private readonly refused = new Map<MessageFault, number>();

  countAccepted(): void {
    this.accepted += 1;
  }

  /** A hint that could not be sent. */
  countLost(): void {
    this.lost += 1;
  }

  countRefused(fault: MessageFault): void {
    this.refused.set(fault, (this.refused.get(fault) ?? 0) + 1);
  }

  snapshot(): { accepted: number; lost: number; refused: Partial<Record<MessageFault, number>> } {
    return { accepted: this.accepted, lost: this.lost, refused: Object.fromEntries(this.refused) };
  }
}
