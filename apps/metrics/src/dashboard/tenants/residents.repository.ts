/** Every organization of the directory, as the table names it. */
import { Inject, Injectable } from '@nestjs/common';
import { CONTROL_POOL, type PrimaryPool } from '#libs/database';

const ALL = 'select id, name, slug, tier, state from organizations';

export interface Resident {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly tier: string;
  readonly state: string;
}

@Injectable()
export class ResidentsRepository {
  constructor(@Inject(CONTROL_POOL) private readonly directory: PrimaryPool) {}

  /** In no order. */
  async all(): Promise<Resident[]> {
    return (await this.directory.queryAnywhere<Resident>(ALL)).rows;
  }
}
