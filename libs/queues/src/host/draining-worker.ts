/** BullMQ's worker with an end to its patience: closing waits for handed-back jobs only as long as the grace lasts. */
import { Worker } from 'bullmq';

export class DrainingWorker extends Worker {
  private ending: Promise<void> | undefined;

  /**
   * Takes no more jobs, asks the running ones to stop at their next step, and closes when they have been handed back,
   * or after `graceMs`: whatever still runs then loses its lock, and another worker goes on from its checkpoint.
   */
  drain(graceMs: number): Promise<void> {
    this.ending ??= this.drainWithin(graceMs);
    return this.ending;
  }

  override close(force = false): Promise<void> {
    return this.ending ?? super.close(force);
  }

  private async drainWithin(graceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    const closed = super.close();
    this.cancelAllJobs('shutdown');
    await Promise.race([closed, expired]);
    clearTimeout(timer);
  }
}
