/** Locations: every organization has a default one, made with it. */
import { Injectable } from '@nestjs/common';
import { decodeCursor, isUuid, type ShapeType } from '#libs/kernel';
import { LocationRepository } from './location.repository';
import type { CREATE_LOCATION, Location, UPDATE_LOCATION } from './location.schema';

const FIRST = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class LocationService {
  constructor(private readonly locations: LocationRepository) {}

  create(location: ShapeType<typeof CREATE_LOCATION>): Promise<Location> {
    return this.locations.insert(location);
  }

  /** Makes the current organization's default location where it has none. Safe to repeat. */
  ensureDefault(): Promise<void> {
    return this.locations.ensureDefault();
  }

  get(id: string): Promise<Location> {
    return this.locations.get(id);
  }

  list(query: { limit: number; cursor?: string }): Promise<Location[]> {
    const [after] = query.cursor === undefined ? [FIRST] : decodeCursor(query.cursor, [isUuid]);
    return this.locations.list(after!, query.limit);
  }

  update(id: string, version: number | undefined, change: ShapeType<typeof UPDATE_LOCATION>): Promise<Location> {
    return this.locations.update(id, version, change);
  }
}
