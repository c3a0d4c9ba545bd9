/** Hints for open streams. A lost one makes a stream late by JOB_STREAM_POLL_MS, never wrong. */
import { Controller } from '@nestjs/common';
import { API_KEY_NAMESPACE } from '#libs/identity';
import { type EventPayloads, OnEvent } from '#libs/messaging';
import { JobWatchers } from './job-watchers.service';

@Controller()
export class JobHintsListener {
  constructor(private readonly watchers: JobWatchers) {}

  @OnEvent('job.progress')
  moved({ organization_id, job_id }: EventPayloads['job.progress']): void {
    this.watchers.hint(organization_id, job_id);
  }

  @OnEvent('organization.changed')
  organizationChanged({ organization_id }: EventPayloads['organization.changed']): void {
    this.watchers.hint(organization_id);
  }

  @OnEvent('cache.invalidated')
  keyRevoked({ organization_id, namespace }: EventPayloads['cache.invalidated']): void {
    if (namespace === API_KEY_NAMESPACE) this.watchers.hint(organization_id);
  }
}
