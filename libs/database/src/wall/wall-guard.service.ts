/**
 * Refuses to start a process when the schema does not go with its release, when the catalogs do not prove the wall, or when
 * it would serve as the wrong role. A shard that is away at boot is checked before its first statement.
 */
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { SchemaGuard } from '../migrate/schema-guard.service';
import type { Shard } from '../shards/shard';
import { Shards } from '../shards/shards.service';
import { checkWall, type WallViolation } from './wall-check';

@Injectable()
export class WallGuard implements OnApplicationBootstrap {
  private readonly logger = new Logger('WallGuard');
  private readonly proven = new Set<Shard>();
  private readonly underWay = new Map<Shard, Promise<void>>();

  constructor(
    private readonly shards: Shards,
    private readonly schema: SchemaGuard,
  ) {}

  /** Throws for the home shard whatever is wrong; for another one only if it answers and something is. */
  async onApplicationBootstrap(): Promise<void> {
    const home = this.shards.home();
    await this.prove(home);
    for (const shard of this.shards.all()) {
      if (shard === home) continue;
      if (shard.primary) await this.prove(shard);
      else this.logger.warn(`Shard ${shard.name} has no primary; its wall is checked before its first statement.`);
    }
  }

  /** Whether the shard's wall has been proven to this process. */
  stands(shard: Shard): boolean {
    return this.proven.has(shard);
  }

  /** Throws `tenant_wall_broken` with everything that is wrong; before that, what SchemaGuard throws. Once for all who wait. */
  prove(shard: Shard): Promise<void> {
    const known = this.underWay.get(shard);
    if (known) return known;
    const begun = this.check(shard).finally(() => this.underWay.delete(shard));
    this.underWay.set(shard, begun);
    return begun;
  }

  private async check(shard: Shard): Promise<void> {
    await this.schema.prove(shard);
    const pool = this.shards.pool(shard.name, 'app');
    const query = (sql: string) => pool.query<Record<string, unknown>>(sql);
    const [login] = (await query('select current_user as name')).rows as unknown as [{ name: string }];
    let violations: WallViolation[] = await checkWall({ query });
    // A partition that is dropped while the catalogs are read looks as if its policy were gone, and is not there at the second look.
    if (violations.length > 0) violations = await checkWall({ query });
    if (login.name !== 'stockyard_app') {
      violations.push({ subject: login.name, problem: 'serves tenants; only stockyard_app may' });
    }
    if (violations.length > 0) {
      throw new StockyardError({
        code: 'tenant_wall_broken',
        category: 'internal',
        message:
          `The wall between tenants does not stand on shard ${shard.name}; run \`npm run migrate\` or undo the change ` +
          `that broke it:\n${violations.map(({ subject, problem }) => `  - ${subject}: ${problem}`).join('\n')}`,
      });
    }
    this.proven.add(shard);
  }
}
