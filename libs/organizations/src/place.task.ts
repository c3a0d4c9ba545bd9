/**
 * Brings places in line with the directory: a shard that was away when an operator changed something, or an organization that
 * a process of the previous release made. A place that is newer, or that a move has in hand, is left alone.
 */
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type TenantTask, UpkeepTasks } from '#libs/queues';
import type { Organization } from '#libs/tenancy';
import { placeOf, PlaceRepository } from './place.repository';

@Injectable()
export class PlaceTask implements TenantTask, OnModuleInit {
  readonly name = 'places';

  constructor(
    private readonly places: PlaceRepository,
    private readonly tasks: UpkeepTasks,
  ) {}

  onModuleInit(): void {
    this.tasks.add(this);
  }

  async run(organization: Organization): Promise<void> {
    if (organization.state === 'deleting') return;
    await this.places.put(placeOf(organization));
  }
}
