/** Tenants write at full speed, through the services, while a release's migrations of every kind are applied: none fails. */
import { Test, type TestingModule } from '@nestjs/testing';
import { CatalogModule, ProductService } from '#libs/catalog';
import { AdjustmentService, InventoryModule } from '#libs/inventory';
import { newId } from '#libs/kernel';
import {
  asTenant,
  createOrganization,
  createTestEnvironment,
  platformModules,
  type TestEnvironment,
  type TestOrganization,
  waitFor,
} from '#libs/testing';
import { MIGRATIONS } from '#migrations';
import { TRIAL_MIGRATIONS } from '../../test/trial-migrations';
import { migrate } from './migrate';

const WRITERS = 6;
/** Writes before the first migration and after the last, so that the statements were prepared under the old schema. */
const AROUND = 100;

describe('migrations under load', () => {
  let env: TestEnvironment;
  let app: TestingModule;
  let shops: TestOrganization[];

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({
      imports: [...platformModules(env.config), CatalogModule, InventoryModule],
    }).compile();
    await app.init();
    shops = await Promise.all(Array.from({ length: WRITERS }, () => createOrganization(env)));
    for (const shop of shops) {
      const product = { sku: 'ONE', name: 'One', currency: 'EUR' };
      await asTenant(app, shop, () => app.get(ProductService).create(product));
    }
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  it('fail no write and lose none', async () => {
    const writes = { done: 0, longestMs: 0, over: false };
    const adjust = () =>
      app.get(AdjustmentService).adjust(newId(), { reason: 'spec', lines: [{ sku: 'ONE', delta: 1 }] });
    const writers = shops.map(async (shop) => {
      while (!writes.over) {
        const startedAt = performance.now();
        await asTenant(app, shop, adjust);
        writes.longestMs = Math.max(writes.longestMs, performance.now() - startedAt);
        writes.done += 1;
      }
    });
    const more = (count: number) => {
      const goal = writes.done + count;
      return Promise.race([
        waitFor(() => writes.done >= goal, { what: `${count} writes`, timeoutMs: 30_000, intervalMs: 5 }),
        Promise.all(writers), // a write that fails ends the waiting
      ]);
    };
    await more(AROUND);
    const startedAt = performance.now();
    const before = writes.done;
    const [result] = await migrate({ config: env.config, migrations: TRIAL_MIGRATIONS });
    const tookMs = performance.now() - startedAt;
    const during = writes.done - before;
    await more(AROUND);
    writes.over = true;
    await Promise.all(writers);

    expect(result!.applied).toEqual(TRIAL_MIGRATIONS.slice(MIGRATIONS.length).map(({ name }) => name));
    expect(during).toBeGreaterThan(0);
    expect(writes.longestMs).toBeLessThan(env.config.DATABASE_MIGRATION_LOCK_MS + 3_000);
    const [stock] = await env.query<{ sum: number; moved: number }>(
      'select (select sum(on_hand)::int from stock_levels) as sum, (select sum(quantity)::int from stock_movements) as moved',
    );
    expect(stock).toEqual({ sum: writes.done, moved: writes.done });
    process.stdout.write(
      `migrations under load: ${during} writes in ${tookMs.toFixed(0)} ms, the longest ${writes.longestMs.toFixed(0)} ms\n`,
    );
  });
});
