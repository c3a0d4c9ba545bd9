/** Random transactions on the source, applied in batches as they come: the target becomes the same, whatever their order. */
import { newId } from '#libs/kernel';
import { createOrganization } from '#libs/testing';
import fc from 'fast-check';
import type { Client } from 'pg';
import { fillEveryTable } from '../../test/every-table';
import { contentOf, createTwoShards, moveOptions, type TwoShards } from '../../test/two-shards';
import { connectMover, sqlState } from '../connection';
import { type MoveState, NEW_MOVE } from '../move.state';
import { TenantMove } from '../tenant-move';

/** `$1` is the tenant, `:a` and `:b` small numbers that choose rows and values. */
const OPERATIONS: readonly string[] = [
  `insert into products (organization_id, id, sku, name, currency) values ($1, new_id(), 'new-' || :a, 'n' || :b, 'EUR')
   on conflict (organization_id, sku) do update set name = excluded.name`,
  `delete from products where organization_id = $1 and sku = 'new-' || :a`,
  `update products set description = (select string_agg(md5(n::text || ':b'), '') from generate_series(1, 150) n) where organization_id = $1 and sku = 'new-' || :a`,
  `update products set version = version + :b where organization_id = $1 and sku = 'new-' || :a`,
  `insert into jobs (organization_id, id, type, class, payload, actor_type)
   select $1, new_id(), 'r' || :a, 'low', jsonb_build_object('blob', (select string_agg(md5(n::text || ':b'), '') from generate_series(1, 200) n)), 'system'`,
  `insert into job_line_errors (organization_id, job_id, line, code, message)
   select $1, id, :b, 'c', 'm' from jobs where organization_id = $1 and type = 'r' || :a on conflict do nothing`,
  `update jobs set processed = processed + :b where organization_id = $1 and type = 'r' || :a`,
  `delete from jobs where organization_id = $1 and type = 'r' || :a`,
  `update idempotency_keys set key = left(key, 100) || ':b' where organization_id = $1 and key =
   (select key from idempotency_keys where organization_id = $1 order by key offset :a limit 1)`,
  `insert into tenant_usage (organization_id, metric, period_start, value) values ($1, 'm' || :a, date_trunc('month', now()), :b)
   on conflict (organization_id, metric, period_start) do update set value = tenant_usage.value + excluded.value`,
];
/** Two products exchange their unique value: no order of final rows can be written at once. */
const EXCHANGE = [
  `update products set sku = 'exchanged' where organization_id = $1 and sku = 'new-' || :a`,
  `update products set sku = 'new-' || :a where organization_id = $1 and sku = 'new-' || :b and :a <> :b`,
  `update products set sku = 'new-' || :b where organization_id = $1 and sku = 'exchanged'`,
];

const UNIQUE_VIOLATION = '23505';

type Step = { readonly what: number; readonly a: number; readonly b: number };

const step = fc.record({
  what: fc.nat({ max: OPERATIONS.length }),
  a: fc.nat({ max: 4 }),
  b: fc.nat({ max: 4 }),
});
const transactions = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 25 });

describe('the replay of a source’s log', () => {
  let shards: TwoShards;
  let source: Client;
  let move: TenantMove;
  let caughtUp: MoveState;
  let id: string;

  beforeAll(async () => {
    shards = await createTwoShards();
    source = await connectMover(shards.home.adminUrl);
    ({ id } = await createOrganization(shards.home));
    await fillEveryTable(source, id, 0);
    move = new TenantMove(moveOptions(shards, id));
    caughtUp = await move.runStep(await move.runStep(NEW_MOVE));
  });

  afterAll(async () => {
    await move.rollBack(caughtUp);
    await move.close();
    await source.end();
    await shards.dispose();
  });

  /** A transaction that the source's own constraints refuse is rolled back there. */
  async function execute(steps: readonly Step[]): Promise<void> {
    await source.query('begin');
    try {
      for (const { what, a, b } of steps) {
        for (const text of what === OPERATIONS.length ? EXCHANGE : [OPERATIONS[what]!])
          await source.query(text.replaceAll(':a', String(a)).replaceAll(':b', String(b)), [id]);
      }
      await source.query('commit');
    } catch (error) {
      await source.query('rollback');
      if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    }
  }

  it('makes the target the same as the source', async () => {
    await fc.assert(
      fc.asyncProperty(transactions, async (all) => {
        for (const steps of all) await execute(steps);
        expect(await move.runStep(caughtUp)).toMatchObject({ step: 'compare' });
        expect(await contentOf(shards.two, id)).toEqual(await contentOf(shards.home, id));
      }),
      { numRuns: 40 },
    );
  });

  it('applies one transaction that is larger than what is held in memory', async () => {
    await source.query(
      `insert into inbox (organization_id, consumer, message_id) select $1, 'large', new_id() from generate_series(1, 45000)`,
      [id],
    );
    await source.query(
      "delete from inbox where organization_id = $1 and consumer = 'large' and message_id::text like '%7'",
      [id],
    );
    await move.runStep(caughtUp);
    expect(await contentOf(shards.two, id)).toEqual(await contentOf(shards.home, id));
  });

  it('goes on after the target’s transaction was rolled back, and leaves nothing out', async () => {
    await shards.two.query("alter table audit_log add constraint refused check (action <> 'refused')");
    await source.query(
      "insert into audit_log (organization_id, id, actor_type, action, target_type) values ($1, $2, 'system', 'refused', 't')",
      [id, newId()],
    );
    await expect(move.runStep(caughtUp)).rejects.toMatchObject({ code: '23514' });
    await shards.two.query('alter table audit_log drop constraint refused');
    await move.runStep(caughtUp);
    expect(await contentOf(shards.two, id)).toEqual(await contentOf(shards.home, id));
  });
});
