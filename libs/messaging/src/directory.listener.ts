/** Forgets what the directory holds of an organization that changed elsewhere. */
import { Controller } from '@nestjs/common';
import { Directory } from '#libs/tenancy';
import { OnEvent } from './message.decorators';
import type { EventPayloads } from './platform-events';

@Controller()
export class DirectoryListener {
  constructor(private readonly directory: Directory) {}

  @OnEvent('organization.changed')
  forget(payload: EventPayloads['organization.changed']): void {
    this.directory.forget(payload.organization_id);
  }
}
