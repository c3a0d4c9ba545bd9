/** A migration that meets a lock steps aside: the statements behind it wait no longer than its lock timeout. */
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { MIGRATIONS } from '#migrations';
import type { Client } from 'pg';
import { AddColumn1790000001000, AddConstraint1790000004000 } from '../../test/trial-migrations';
import { migrate, type MigrateProgress } from './migrate';

const LOCK_MS = 300;
/** What a busy machine may add to a wait of 300 ms; without the timeout it would be as long as the reader reads. */
const MARGIN_MS = 1_500;

describe('a migration that meets a lock', () => {
  let env: TestEnvironment;
  let reader: Client;
  let writer: Client;
  let tenant: string;

  const write = async () => {
    const startedAt = performance.now();
    await writer.query('begin');
    await writer.query("select set_config('app.tenant_id', $1, true)", [tenant]);
    await writer.query('update stock_levels set updated_at = now() where organization_id = $1', [tenant]);
    await writer.query('commit');
    return performance.now() - startedAt;
  };
  const longRead = async () => {
    await reader.query('begin');
    await reader.query('select count(*) from stock_levels');
  };

  beforeAll(async () => {
    env = await createTestEnvironment({ DATABASE_MIGRATION_LOCK_MS: String(LOCK_MS) });
    tenant = (await createOrganization(env)).id;
    [reader, writer] = [await env.connectAs('app'), await env.connectAs('app')];
  });

  afterAll(async () => {
    await Promise.all([reader.end(), writer.end()]);
    await env.dispose();
  });

  it('is tried again until a long reader ends, and lets the writers pass meanwhile', async () => {
    await longRead();
    const steps: MigrateProgress[] = [];
    const migrations = [...MIGRATIONS, AddColumn1790000001000];
    const migrating = migrate({ config: env.config, migrations, onProgress: (step) => steps.push(step) });
    const blocked = () => steps.filter(({ step }) => step === 'blocked').length;
    const waits: number[] = [];
    await waitFor(
      async () => {
        waits.push(await write());
        return blocked() >= 3;
      },
      { what: 'three tries of the migration', timeoutMs: 30_000, intervalMs: 1 },
    );
    await reader.query('commit');
    await expect(migrating).resolves.toEqual([{ shard: 'main', applied: [AddColumn1790000001000.name] }]);
    // A writer that came behind the migration has waited, none for longer than the migration itself may wait.
    expect(Math.max(...waits)).toBeGreaterThan(LOCK_MS / 4);
    expect(Math.max(...waits)).toBeLessThan(LOCK_MS + MARGIN_MS);
    const pauses = steps.flatMap((step) => (step.step === 'blocked' ? [step.pauseMs] : []));
    expect(pauses.every((pauseMs, index) => pauseMs <= 200 * 2 ** index && pauseMs >= 100 * 2 ** index)).toBe(true);
  });

  it('gives up after the configured tries, says so, and leaves the schema as it was', async () => {
    await longRead();
    const config = { ...env.config, DATABASE_MIGRATION_LOCK_MS: 50, DATABASE_MIGRATION_LOCK_TRIES: 2 };
    const migrations = [...MIGRATIONS, AddColumn1790000001000, AddConstraint1790000004000];
    await expect(migrate({ config, migrations })).rejects.toMatchObject({
      code: 'migration_blocked',
      message: expect.stringMatching(/"main".*AddConstraint1790000004000 met locks.*2 tries/) as string,
    });
    await reader.query('commit');
    expect(await env.query("select from pg_constraint where conname = 'noted'")).toEqual([]);
    await expect(migrate({ config, migrations })).resolves.toEqual([
      { shard: 'main', applied: [AddConstraint1790000004000.name] },
    ]);
  });
});
