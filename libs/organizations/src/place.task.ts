/**
 * Brings places in line with the directory: a shard that was away when an operator changed something, or an organization that
 * a process of the previous release made.
 */
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type TenantTask, UpkeepTasks } from '#libs/queues';
import type { Organization } from '#libs/tenancy';
import { PlaceUpkeep } from './place-upkeep';

@Injectable()
export class PlaceTask implements TenantTask, OnModuleInit {
  readonly name = 'places';

  constructor(
    private readonly places: PlaceUpkeep,
    private readonly tasks: UpkeepTasks,
  ) {}

  onModuleInit(): void {
    this.tasks.add(this);
  }

  run(organization: Organization): Promise<void> {
    return this.places.align(organization);
  }
}
