/** How many event streams are open: each is a socket, and a look at the database every JOB_STREAM_POLL_MS. */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import { JobWatchers } from './job-watchers.service';

@Injectable()
export class JobStreamGauge {
  constructor(registry: MetricsRegistry, watchers: JobWatchers) {
    registry.gauge({
      name: 'stockyard_job_streams_open',
      help: 'Event streams of jobs that are open in this process.',
      labels: [],
      read: () => [{ labels: {}, value: watchers.open }],
    });
  }
}
