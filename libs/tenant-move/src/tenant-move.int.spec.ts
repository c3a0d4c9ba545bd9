/** A whole move between two databases while writers write, and what stops one. */
import { roleUrl } from '#libs/config';
import { newId } from '#libs/kernel';
import { createOrganization, waitFor, Way } from '#libs/testing';
import type { Client } from 'pg';
import { FILLED_TABLES, fillEveryTable } from '../test/every-table';
import { directoryOf } from '../test/directory';
import { contentOf, createTwoShards, moveOptions, remains, rowCount, type TwoShards } from '../test/two-shards';
import { Writers } from '../test/writers';
import { connectMover } from './connection';
import type { TenantMoveOptions } from './move.options';
import { type MoveState, NEW_MOVE } from './move.state';
import { createSlot, dropSlot, moveName } from './slot';
import { TenantMove } from './tenant-move';

describe('the move of a live organization', () => {
  let shards: TwoShards;
  let admin: { readonly main: Client; readonly two: Client };

  beforeAll(async () => {
    shards = await createTwoShards();
    admin = { main: await connectMover(shards.home.adminUrl), two: await connectMover(shards.two.adminUrl) };
  });

  afterAll(async () => {
    await Promise.all([admin.main.end(), admin.two.end()]);
    await shards.dispose();
  });

  async function filledOrganization(): Promise<string> {
    const { id } = await createOrganization(shards.home);
    await fillEveryTable(admin.main, id, 0);
    return id;
  }

  async function run(
    options: TenantMoveOptions,
    hooks: {
      readonly until?: string;
      readonly before?: (state: MoveState) => Promise<void>;
      readonly from?: MoveState;
    } = {},
  ): Promise<{ move: TenantMove; state: MoveState; steps: string[] }> {
    const move = new TenantMove(options);
    const steps: string[] = [];
    let state = hooks.from ?? NEW_MOVE;
    try {
      while (state.step !== 'done' && state.step !== hooks.until) {
        await hooks.before?.(state);
        steps.push(state.step);
        state = await move.runStep(state);
      }
    } catch (error) {
      await move.close();
      throw Object.assign(error as Error, { state, steps }); // steps that ran, for the expectations
    }
    if (state.step === 'done') await move.close();
    return { move, state, steps };
  }

  async function place(shard: 'home' | 'two', id: string): Promise<{ state: string; epoch: number } | undefined> {
    const [row] = await shards[shard].query<{ state: string; epoch: number }>(
      'select state, epoch from tenant_places where tenant = $1',
      [id],
    );
    return row;
  }

  const directory = async (id: string) => {
    const { shard, epoch } = await directoryOf(roleUrl(shards.home.config, 'control'), id).read();
    return { shard, epoch };
  };

  it('knows rows for every table that goes with a tenant', async () => {
    const rows = await shards.home.query<{ name: string }>('select moved::text as name from moved_tables() moved');
    expect([...FILLED_TABLES].sort()).toEqual(rows.map(({ name }) => name).sort());
  });

  it('loses and doubles no acknowledged write, pauses them for less than a second, and leaves the neighbours alone', async () => {
    const id = await filledOrganization();
    const neighbour = await filledOrganization();
    const before = await contentOf(shards.home, neighbour);
    const writers = new Writers(shards, { organizationId: id, writers: 8, writesPerSecond: 240 });
    await writers.start();
    let round = 0;
    const { state, steps } = await run(
      { ...moveOptions(shards, id), maxPauseMs: 900, maxPauses: 20 },
      {
        before: async ({ step }) => {
          // The months of old, and rows of every table that are in the log and not in the snapshot.
          if (step === 'prepare') await admin.main.query("select make_month_partition('audit_log', '2024-02-01')");
          if ((step === 'catch_up' || step === 'fence') && round < 2)
            await fillEveryTable(admin.main, id, (round += 1));
        },
      },
    );
    await writers.stop();
    process.stdout.write(
      `move: ${state.rowsCopied} rows copied, writes fenced ${state.pausedMs} ms, longest pause seen by 8 writers ${writers.longestPauseMs} ms, ${writers.perSecond.toFixed(0)} writes/s, ${writers.acknowledged.length} acknowledged\n`,
    );
    expect(writers.failures).toEqual([]);
    expect(steps).toEqual(
      expect.arrayContaining([
        'prepare',
        'copy',
        'catch_up',
        'compare',
        'fence',
        'drain',
        'verify',
        'flip',
        'release',
        'clean_up',
      ]),
    );
    expect(await writers.proof('two')).toEqual({
      lost: 0,
      doubled: 0,
      foreign: 0,
      counted: writers.acknowledged.length,
    });
    expect(writers.acknowledged.length).toBeGreaterThan(100);
    expect(state.pausedMs).toBeLessThanOrEqual(1_000);
    expect(writers.longestPauseMs).toBeLessThanOrEqual(1_000);
    expect(rowCount(await contentOf(shards.home, id))).toBe(0);
    expect([...(await contentOf(shards.two, id)).values()].every((rows) => rows.length > 0)).toBe(true);
    expect(await contentOf(shards.home, neighbour)).toEqual(before);
    expect(rowCount(await contentOf(shards.two, neighbour))).toBe(0);
    expect(await directory(id)).toEqual({ shard: 'two', epoch: state.epoch! + 2 });
    expect(await place('two', id)).toEqual({ state: 'open', epoch: state.epoch! + 2 });
    expect(await place('home', id)).toEqual({ state: 'moved', epoch: state.epoch! + 2 });
    expect(await remains(shards, id)).toEqual([]);
  });

  it('carries every value byte for byte, and back again', async () => {
    const id = await filledOrganization();
    const before = await contentOf(shards.home, id);
    await run(moveOptions(shards, id));
    expect(await contentOf(shards.two, id)).toEqual(before);
    expect(rowCount(await contentOf(shards.home, id))).toBe(0);
    await run(moveOptions(shards, id, 'two'));
    expect(await contentOf(shards.home, id)).toEqual(before);
    expect(rowCount(await contentOf(shards.two, id))).toBe(0);
    expect(await place('home', id)).toEqual({ state: 'open', epoch: 5 });
    expect(await place('two', id)).toEqual({ state: 'moved', epoch: 5 });
  });

  it('moves a suspended organization as one', async () => {
    const id = await filledOrganization();
    await shards.home.query("update tenant_places set state = 'suspended' where tenant = $1", [id]);
    await run(moveOptions(shards, id));
    expect(await place('two', id)).toEqual({ state: 'suspended', epoch: 3 });
  });

  it.each([
    ['before the fence', 'compare', "update products set name = 'changed' where organization_id = $1"],
    [
      'before the fence, by a row too many',
      'compare',
      "insert into inbox (organization_id, consumer, message_id) values ($1, 'x', new_id())",
    ],
    [
      'under the fence',
      'verify',
      "update orders set customer_reference = 'changed' where organization_id = $1 and reference = 'touched'",
    ],
  ])('refuses to flip when the target differs %s, and rolls back', async (_, when, tamper) => {
    const id = await filledOrganization();
    const before = await contentOf(shards.home, id);
    const attempt = run(moveOptions(shards, id), {
      before: async ({ step }) => {
        if (step === 'fence') {
          await admin.main.query(
            "insert into orders (organization_id, id, reference, state, currency, total_minor, occurred_at) values ($1, new_id(), 'touched', 'draft', 'EUR', 1, now())",
            [id],
          );
        }
        if (step === when) await admin.two.query(tamper, [id]);
      },
    });
    const failure = (await attempt.then(
      () => undefined,
      (error: unknown) => error,
    )) as { code: string; state: MoveState } | undefined;
    expect(failure?.code).toBe('move_rows_differ');
    expect((await place('home', id))?.state).toBe('open');
    const again = new TenantMove(moveOptions(shards, id));
    await again.rollBack(failure!.state);
    await again.close();
    const after = await contentOf(shards.home, id);
    if (when === 'verify')
      after.set(
        'orders',
        after.get('orders')!.filter((row) => !row.includes('touched')),
      );
    expect(after).toEqual(before);
    expect(rowCount(await contentOf(shards.two, id))).toBe(0);
    expect(await place('two', id)).toBeUndefined();
    expect((await place('home', id))?.epoch).toBe((await directory(id)).epoch);
    expect(await remains(shards, id)).toEqual([]);
    const { state } = await run(moveOptions(shards, id));
    expect(state.step).toBe('done');
  });

  it('takes the fence back when a writer does not end in time, and gets through when it has', async () => {
    const id = await filledOrganization();
    const slow = await shards.home.connectAs('app');
    let entered = false;
    let fences = 0;
    const { state } = await run(
      { ...moveOptions(shards, id), maxPauseMs: 400 },
      {
        before: async ({ step }) => {
          if (step !== 'fence') return;
          fences += 1;
          if (!entered) {
            await slow.query('begin');
            await slow.query('select enter_write($1, $2)', [id, (await directory(id)).epoch]);
            await slow.query(
              "insert into inbox (organization_id, consumer, message_id) values ($1, 'slow', new_id())",
              [id],
            );
            entered = true;
          } else {
            expect((await place('home', id))?.state).toBe('open');
            await slow.query('commit');
          }
        },
      },
    );
    await slow.end();
    expect([fences, state.pauses]).toEqual([2, 1]);
    expect(
      await shards.two.query("select from inbox where organization_id = $1 and consumer = 'slow'", [id]),
    ).toHaveLength(1);
  });

  it('fails after so many pauses in vain, with writes going on at the source', async () => {
    const id = await filledOrganization();
    const slow = await shards.home.connectAs('app');
    const attempt = run(
      { ...moveOptions(shards, id), maxPauseMs: 300, maxPauses: 2 },
      {
        before: async ({ step }) => {
          if (step !== 'fence') return;
          await slow.query('begin');
          await slow.query('select enter_write($1, $2)', [id, (await directory(id)).epoch]).catch(() => undefined);
        },
      },
    );
    await expect(attempt).rejects.toMatchObject({ code: 'move_pause_exceeded' });
    await slow.query('rollback');
    await slow.end();
    const { epoch } = await directory(id);
    expect(await place('home', id)).toEqual({ state: 'open', epoch });
    const state: unknown = await attempt.catch((error: unknown) => (error as { state: MoveState }).state);
    const again = new TenantMove(moveOptions(shards, id));
    await again.rollBack(state as MoveState);
    await again.close();
    expect(await remains(shards, id)).toEqual([]);
  });

  it('takes the fence back in time when the target falls silent under it', async () => {
    const id = await filledOrganization();
    const way = new Way(roleUrl(shards.two.config, 'mover'));
    await way.open();
    const { target, ...rest } = moveOptions(shards, id);
    let openAgainMs = 0;
    let silent = false;
    const { state } = await run(
      { ...rest, target: { ...target, moverUrl: () => way.url }, maxPauseMs: 400 },
      {
        before: async ({ step }) => {
          if (step === 'catch_up' && silent) {
            expect((await place('home', id))?.state).toBe('open');
            await way.cut();
            await way.open();
          }
          if (step !== 'verify' || silent) return;
          silent = true;
          way.swallow();
          const since = performance.now();
          void waitFor(async () => (await place('home', id))?.state === 'open', { what: 'the fence to end' }).then(
            () => {
              openAgainMs = performance.now() - since;
            },
          );
        },
      },
    );
    await way.cut();
    expect([state.step, state.pauses]).toEqual(['done', 1]);
    expect(openAgainMs).toBeGreaterThan(0);
    expect(openAgainMs).toBeLessThan(5_000);
  });

  it('flips although the relay publishes behind the fence', async () => {
    const id = await filledOrganization();
    const relay = await shards.home.connectAs('relay');
    const { state } = await run(moveOptions(shards, id), {
      before: async ({ step }) => {
        if (step === 'fence')
          await admin.main.query(
            "insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload) values ($1, new_id(), 'late', 'a', new_id(), '{}')",
            [id],
          );
        if (step === 'verify')
          expect(
            (await relay.query('update outbox set published_at = now() where published_at is null')).rowCount,
          ).toBeGreaterThan(0);
      },
    });
    await relay.end();
    expect([state.step, state.pauses]).toEqual(['done', 0]);
    expect(
      await shards.two.query("select from outbox where organization_id = $1 and topic = 'late'", [id]),
    ).toHaveLength(1);
  });

  it('numbers what is written on the target above the events that came along', async () => {
    const id = await filledOrganization();
    const write = (client: Client, topic: string) =>
      client.query(
        `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload) values ($1, new_id(), $2, 'a', $1, '{}')`,
        [id, topic],
      );
    await admin.main.query("select setval('outbox_order', (select last_value from outbox_order) + 5000000)");
    await write(admin.main, 'there');
    const { state } = await run(moveOptions(shards, id));
    await write(admin.two, 'here');
    expect(state.step).toBe('done');
    const topics = await shards.two.query<{ topic: string }>(
      'select topic from outbox where organization_id = $1 and aggregate_id = $1 order by seq',
      [id],
    );
    expect(topics.map(({ topic }) => topic)).toEqual(['there', 'here']);
    // Whoever is ahead already is not thrown back.
    const before = await shards.two.query<{ at: string }>("select nextval('outbox_order') as at");
    await admin.two.query('select continue_outbox($1)', [id]);
    expect(await shards.two.query('select last_value as at from outbox_order')).toEqual(before);
  });

  it('copies again when the source has dropped its log', async () => {
    const id = await filledOrganization();
    let dropped = false;
    const { state, steps } = await run(moveOptions(shards, id), {
      before: async ({ step }) => {
        if (step !== 'catch_up' || dropped) return;
        dropped = true;
        await dropSlot(admin.main, moveName(id));
      },
    });
    expect(steps.slice(0, 5)).toEqual(['prepare', 'copy', 'catch_up', 'copy', 'catch_up']);
    expect(state.step).toBe('done');
  });

  it('compares although a process that died there left its slot', async () => {
    const id = await filledOrganization();
    const name = `${moveName(id)}_c`;
    const { moverUrl } = shards.sides.main;
    const { state } = await run(moveOptions(shards, id), {
      before: async ({ step }) => {
        if (step === 'compare') await createSlot(await moverUrl(), name, { temporary: true });
      },
    });
    expect([state.step, state.pauses]).toEqual(['done', 0]);
    expect(await remains(shards, id)).toEqual([]);
  });

  it('refuses a move to where it is, one whose place is not what the directory says, and different schemas', async () => {
    const id = await filledOrganization();
    await expect(run(moveOptions(shards, id, 'two'))).rejects.toMatchObject({ code: 'move_already_there' });
    await shards.home.query('update tenant_places set epoch = 7 where tenant = $1', [id]);
    await expect(run(moveOptions(shards, id))).rejects.toMatchObject({ code: 'move_overtaken' });
    await shards.home.query('update tenant_places set epoch = 1 where tenant = $1', [id]);
    await shards.two.query('alter table products add column extra text');
    await expect(run(moveOptions(shards, id))).rejects.toMatchObject({
      code: 'move_schema_differs',
      details: { tables: ['products'] },
    });
    await shards.two.query('alter table products drop column extra');
    expect(await place('two', id)).toBeUndefined();
  });

  it.each(['fence', 'drain', 'flip'])(
    'lets a process that was thought dead before %s neither fence, write nor flip after another one took over',
    async (step) => {
      const id = await filledOrganization();
      const stale = await run(moveOptions(shards, id), { until: step });
      const fresh = await run(moveOptions(shards, id), { from: stale.state, until: 'compare' });
      const goOn = async () => {
        for (let { state } = stale; state.step !== 'release';) state = await stale.move.runStep(state);
      };
      await expect(goOn()).rejects.toMatchObject({ code: expect.stringMatching(/^(move_overtaken|57P01)$/) });
      await stale.move.close();
      expect(await directory(id)).toEqual({ shard: 'main', epoch: 3 });
      expect(await place('home', id)).toEqual({ state: 'open', epoch: 3 });
      expect((await place('two', id))?.state).toBe('arriving');
      await fresh.move.close();
      const { state } = await run(moveOptions(shards, id), { from: fresh.state });
      expect(state.step).toBe('done');
      const late = new TenantMove(moveOptions(shards, id));
      await expect(late.rollBack(stale.state)).rejects.toMatchObject({ code: 'move_overtaken' });
      await expect(late.rollBack({ ...state, step: 'flip' })).rejects.toMatchObject({ code: 'move_already_flipped' });
      await late.close();
    },
  );

  it('leaves the rows of a tenant that came back alone, however late the first move cleans up', async () => {
    const id = await filledOrganization();
    const away = await run({ ...moveOptions(shards, id), graceMs: 3_600_000 }, { until: 'clean_up' });
    await away.move.close();
    expect(rowCount(await contentOf(shards.home, id))).toBeGreaterThan(0);
    await run(moveOptions(shards, id, 'two'));
    const before = await contentOf(shards.home, id);
    await run(moveOptions(shards, id), { from: { ...away.state, cleanUpAt: 0 } });
    expect(await contentOf(shards.home, id)).toEqual(before);
  });

  it('reads the tenant it moves and no other: the mover is subject to the wall', async () => {
    const id = await filledOrganization();
    const mover = await connectMover(roleUrl(shards.home.config, 'mover'));
    try {
      expect((await mover.query('select from products')).rowCount).toBe(0);
      await mover.query(`begin; select set_config('app.tenant_id', '${newId()}', true)`);
      expect((await mover.query('select from products where organization_id = $1', [id])).rowCount).toBe(0);
      await mover.query('rollback');
    } finally {
      await mover.end();
    }
  });
});
