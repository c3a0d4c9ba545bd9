/** Who watches jobs in this process. Owners are organizations, topics are jobs. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { DrainService } from '#libs/health';
import { StreamWatchers } from '#libs/http';

@Injectable()
export class JobWatchers extends StreamWatchers {
  constructor(
    drain: DrainService,
    @Inject(APP_CONFIG)
    { JOB_STREAMS, JOB_STREAMS_PER_TENANT }: Pick<AppConfig, 'JOB_STREAMS' | 'JOB_STREAMS_PER_TENANT'>,
  ) {
    super({
      most: JOB_STREAMS,
      mostEach: JOB_STREAMS_PER_TENANT,
      refusal: 'As many event streams as this process takes are open; close one, or read the job instead.',
    });
    void drain.noticeIsOver.then(() => this.leave()); // clients connect again: by then, to another process
  }
}
