/** Counts of the directory. */
import { Inject, Injectable } from '@nestjs/common';
import { CONTROL_POOL, type PrimaryPool } from '#libs/database';
import { ORGANIZATION_STATES } from '#libs/tenancy';

@Injectable()
export class OrganizationCountsRepository {
  constructor(@Inject(CONTROL_POOL) private readonly pool: PrimaryPool) {}

  /** Organizations by state, every state named. */
  async byState(): Promise<Record<string, number>> {
    const { rows } = await this.pool.query<{ state: string; organizations: number }>(
      'select state, count(*)::integer as organizations from organizations group by state',
    );
    const counts: Record<string, number> = Object.fromEntries(ORGANIZATION_STATES.map((state) => [state, 0]));
    for (const { state, organizations } of rows) counts[state] = organizations;
    return counts;
  }
}
