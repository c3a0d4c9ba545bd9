/**
 * Brings the place of an organization in line with what the directory said a moment ago. A place that is newer, or that a move
 * has in hand, is left alone; one of an organization that has been deleted or moved meanwhile does not come back.
 */
import { Injectable } from '@nestjs/common';
import type { Organization } from '#libs/tenancy';
import { OrganizationRepository } from './organization.repository';
import { placeOf, PlaceRepository } from './place.repository';

@Injectable()
export class PlaceUpkeep {
  constructor(
    private readonly places: PlaceRepository,
    private readonly organizations: OrganizationRepository,
  ) {}

  async align(organization: Organization): Promise<void> {
    if (organization.state !== 'active' && organization.state !== 'suspended') return;
    const place = placeOf(organization);
    const isNew = await this.places.put(place);
    if (!isNew) return;
    // A deletion takes the directory's row before the place: whoever makes a place and still finds the row is in time.
    const present = await this.organizations.find(organization.id);
    if (present?.shard !== place.shard) await this.places.takeBack(place);
  }
}
