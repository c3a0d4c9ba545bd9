/** The streams of the dashboard that are open in this process, of each organization's readers so many; operators have those that are left. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { DrainService } from '#libs/health';
import { StreamWatchers } from '#libs/http';
import { MetricsRegistry } from '#libs/observability';

@Injectable()
export class DashboardWatchers extends StreamWatchers {
  constructor(
    registry: MetricsRegistry,
    drain: DrainService,
    @Inject(APP_CONFIG)
    config: Pick<AppConfig, 'DASHBOARD_STREAMS' | 'DASHBOARD_STREAMS_PER_TENANT'>,
  ) {
    super({
      most: config.DASHBOARD_STREAMS,
      mostEach: config.DASHBOARD_STREAMS_PER_TENANT,
      refusal: 'As many event streams of the dashboard as may be are open; close one, or read the view instead.',
    });
    registry.gauge({
      name: 'stockyard_dashboard_streams_open',
      help: 'Event streams of the dashboard that are open in this process.',
      labels: [],
      read: () => [{ labels: {}, value: this.open }],
    });
    void drain.noticeIsOver.then(() => this.leave()); // clients connect again: by then, to another process
  }
}
