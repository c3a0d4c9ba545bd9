/** Refuses to start a process when the catalogs do not prove the wall, or when it would serve as the wrong role. */
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { DataSource } from 'typeorm';
import { checkWall, type WallViolation } from './wall-check';

@Injectable()
export class WallGuard implements OnApplicationBootstrap {
  constructor(private readonly dataSource: DataSource) {}

  async onApplicationBootstrap(): Promise<void> {
    const query = async (sql: string) => ({ rows: await this.dataSource.query<unknown[]>(sql) });
    const [login] = (await query('select current_user as name')).rows as [{ name: string }];
    const violations: WallViolation[] = await checkWall({ query });
    if (login.name !== 'stockyard_app') {
      violations.push({ subject: login.name, problem: 'serves tenants; only stockyard_app may' });
    }
    if (violations.length > 0) {
      throw new StockyardError({
        code: 'tenant_wall_broken',
        category: 'internal',
        message:
          'The wall between tenants does not stand; run `npm run migrate` or undo the change that broke it:\n' +
          violations.map(({ subject, problem }) => `  - ${subject}: ${problem}`).join('\n'),
      });
    }
  }
}
