/** Which release of which process was first seen when. */
import { Inject, Injectable } from '@nestjs/common';
import { CONTROL_POOL, type PrimaryPool } from '#libs/database';

const DEPLOYS = `select version, process, first_seen_at from deploys where first_seen_at > now() - interval '90 days'
  order by first_seen_at desc, version desc, process limit 200`;

export interface Deploy {
  readonly version: string;
  readonly process: string;
  readonly first_seen_at: Date;
}

@Injectable()
export class DeploysRepository {
  constructor(@Inject(CONTROL_POOL) private readonly directory: PrimaryPool) {}

  /** Newest first. */
  async recent(): Promise<Deploy[]> {
    return (await this.directory.queryAnywhere<Deploy>(DEPLOYS)).rows;
  }
}
