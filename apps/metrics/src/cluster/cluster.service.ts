/** One picture of the cluster, at most two seconds old, shared by whoever asks. What does not answer is null in it. */
import { Injectable, Logger } from '@nestjs/common';
import { inTime } from '#libs/kernel';
import type { ClusterSnapshot } from '#libs/messaging';
import { OrganizationCountsRepository } from './organization-counts.repository';
import { QueueDepthsRepository } from './queue-depths.repository';
import { ReplicaLagRepository } from './replica-lag.repository';

const FRESH_MS = 2_000;
const PATIENCE_MS = 1_500;

@Injectable()
export class ClusterService {
  private readonly logger = new Logger('Cluster');
  private current: { readonly snapshot: Promise<ClusterSnapshot>; readonly at: number } | undefined;

  constructor(
    private readonly organizations: OrganizationCountsRepository,
    private readonly queues: QueueDepthsRepository,
    private readonly replicas: ReplicaLagRepository,
  ) {}

  /** Never rejects. */
  snapshot(): Promise<ClusterSnapshot> {
    const now = performance.now();
    if (!this.current || now - this.current.at >= FRESH_MS) this.current = { snapshot: this.take(), at: now };
    return this.current.snapshot;
  }

  private async take(): Promise<ClusterSnapshot> {
    const [organizations, queues] = await Promise.all([
      this.counted('organizations', this.organizations.byState()),
      this.counted('queues', this.queues.depths()),
    ]);
    const replicas = this.replicas.states();
    return { taken_at: new Date().toISOString(), organizations, queues, replicas };
  }

  private async counted<T>(what: string, answer: Promise<T>): Promise<T | null> {
    try {
      return await inTime(answer, PATIENCE_MS);
    } catch (error) {
      this.logger.debug({ err: error }, `The ${what} could not be counted.`);
      return null;
    }
  }
}
