/** A move whose process is killed at every step, and at moments within, goes on or is rolled back by another process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { roleUrl } from '#libs/config';
import { createOrganization } from '#libs/testing';
import type { Client } from 'pg';
import { fillEveryTable } from '../test/every-table';
import { directoryOf } from '../test/directory';
import type { MoveProcessArguments } from '../test/move-process';
import { contentOf, createTwoShards, remains, rowCount, type TwoShards } from '../test/two-shards';
import { Writers } from '../test/writers';
import { connectMover } from './connection';
import { MOVE_STEPS, type MoveStep } from './move.state';

/** Built by `npm run build`: a process of its own can be killed. */
const PROGRAM = join(process.cwd(), 'dist/libs/tenant-move/test/move-process.js');
const RANDOM_KILLS = 6;
const FINISHED = 'finished';

jest.setTimeout(180_000); // processes that are started, killed and started again

describe('a move whose process is killed', () => {
  let shards: TwoShards;
  let admin: Client;
  const children = new Set<ChildProcess>();

  beforeAll(async () => {
    shards = await createTwoShards();
    admin = await connectMover(shards.home.adminUrl);
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await admin.end();
    await shards.dispose();
  });

  async function filledOrganization(): Promise<string> {
    const { id } = await createOrganization(shards.home);
    await fillEveryTable(admin, id, 0);
    return id;
  }

  const ids = (moves: Moves): Moves => moves.map(({ organizationId }) => ({ organizationId }));

  type Moves = MoveProcessArguments['moves'];

  /** Organizations by the step that each of them waits at for all others. */
  async function oneAtEach(steps: readonly MoveStep[]) {
    const found = [];
    for (const waitsAt of steps) {
      const organizationId = await filledOrganization();
      found.push({ organizationId, waitsAt, before: await contentOf(shards.home, organizationId) });
    }
    return found;
  }

  function argumentsFor(moves: Moves, work: MoveProcessArguments['work']): MoveProcessArguments {
    return {
      moves: moves.map(({ organizationId, waitsAt }) => ({ organizationId, waitsAt })),
      source: { shard: 'main', url: roleUrl(shards.home.config, 'mover') },
      target: { shard: 'two', url: roleUrl(shards.two.config, 'mover') },
      controlUrl: roleUrl(shards.home.config, 'control'),
      stateUrl: shards.home.adminUrl,
      work,
    };
  }

  /** Starts a process; `kill` decides at each step it reports. Resolves with what was told of each move when the process has ended. */
  async function runProcess(
    moves: Moves,
    work: MoveProcessArguments['work'],
    kill: (step: string, id: string) => Promise<boolean> = async () => false,
  ): Promise<Map<string, string[]>> {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(argumentsFor(moves, work))], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    let complaints = '';
    child.stderr.on('data', (text: Buffer) => (complaints += text.toString()));
    const ended = once(child, 'close');
    const told = new Map(moves.map(({ organizationId }): [string, string[]] => [organizationId, []]));
    for await (const line of createInterface({ input: child.stdout })) {
      const [id, what] = line.split(' ') as [string, string];
      told.get(id)!.push(what);
      if (what !== FINISHED && (await kill(what, id))) child.kill('SIGKILL');
    }
    await ended;
    children.delete(child);
    if (child.exitCode !== 0 && child.signalCode !== 'SIGKILL')
      throw new Error(`The process of the moves failed: ${complaints}`);
    return told;
  }

  /** Kills a process once every move in it has begun the step that it waited at. */
  async function killAtEach(moves: Awaited<ReturnType<typeof oneAtEach>>): Promise<void> {
    const waiting = new Map(moves.map(({ organizationId, waitsAt }) => [organizationId, waitsAt]));
    const told = await runProcess(moves, 'go on', async (step, id) => {
      if (waiting.get(id) === step) waiting.delete(id);
      return waiting.size === 0;
    });
    expect([...waiting]).toEqual([]);
    for (const { organizationId, waitsAt } of moves) {
      expect(told.get(organizationId)).toContain(waitsAt);
      expect([waitsAt, told.get(organizationId)]).not.toEqual([waitsAt, expect.arrayContaining([FINISHED])]);
    }
  }

  async function expectMoved(id: string, before: Map<string, string[]>): Promise<void> {
    expect(await contentOf(shards.two, id)).toEqual(before);
    expect(rowCount(await contentOf(shards.home, id))).toBe(0);
    const entry = await directoryOf(roleUrl(shards.home.config, 'control'), id).read();
    expect(entry.shard).toBe('two');
    const places = await Promise.all(
      [shards.home, shards.two].map((shard) =>
        shard.query('select state, epoch from tenant_places where tenant = $1', [id]),
      ),
    );
    expect(places).toEqual([[{ state: 'moved', epoch: entry.epoch }], [{ state: 'open', epoch: entry.epoch }]]);
    expect(await remains(shards, id)).toEqual([]);
  }

  async function expectRolledBack(id: string, before: Map<string, string[]>): Promise<void> {
    expect(await contentOf(shards.home, id)).toEqual(before);
    expect(rowCount(await contentOf(shards.two, id))).toBe(0);
    const entry = await directoryOf(roleUrl(shards.home.config, 'control'), id).read();
    expect(entry.shard).toBe('main');
    expect(await shards.home.query('select state, epoch from tenant_places where tenant = $1', [id])).toEqual([
      { state: 'open', epoch: entry.epoch },
    ]);
    expect(await shards.two.query('select from tenant_places where tenant = $1', [id])).toEqual([]);
    expect(await remains(shards, id)).toEqual([]);
  }

  it('goes on, whichever step it was killed at', async () => {
    const moves = await oneAtEach(MOVE_STEPS);
    await killAtEach(moves);
    const told = await runProcess(ids(moves), 'go on');
    for (const { organizationId, waitsAt, before } of moves) {
      const steps = told.get(organizationId)!;
      const at = MOVE_STEPS.indexOf(waitsAt);
      expect([...MOVE_STEPS, FINISHED].slice(at, at + 2)).toContain(steps[0]); // the step may have ended before the kill came
      expect([waitsAt, steps.at(-1)]).toEqual([waitsAt, FINISHED]);
      await expectMoved(organizationId, before);
    }
  });

  it('is rolled back, whichever step before the flip it was killed at', async () => {
    const moves = await oneAtEach(MOVE_STEPS.slice(0, MOVE_STEPS.indexOf('flip')));
    await killAtEach(moves);
    const told = await runProcess(ids(moves), 'roll back');
    for (const { organizationId, waitsAt, before } of moves) {
      expect([waitsAt, told.get(organizationId)]).toEqual([waitsAt, [FINISHED]]);
      await expectRolledBack(organizationId, before);
    }
  });

  it('is rolled back or goes on, but nothing between, when it was killed at flip', async () => {
    const [move] = await oneAtEach(['flip']);
    const { organizationId, before } = move!;
    await killAtEach([move!]);
    const finished = async (work: MoveProcessArguments['work']) =>
      (await runProcess([{ organizationId }], work)).get(organizationId)!.includes(FINISHED);
    const rolledBack = await finished('roll back');
    if (!rolledBack) expect(await finished('go on')).toBe(true);
    await (rolledBack ? expectRolledBack(organizationId, before) : expectMoved(organizationId, before));
  });

  it('loses and doubles no acknowledged write when it is killed again and again at any moment', async () => {
    const id = await filledOrganization();
    const writers = new Writers(shards, { organizationId: id, writers: 4, writesPerSecond: 100 });
    await writers.start();
    const moments: string[] = [];
    for (let turn = 0; turn < RANDOM_KILLS; turn += 1) {
      // At another step each time, and up to a moment into it that no step's end decides.
      const wanted = MOVE_STEPS[1 + turn]!;
      const told = await runProcess([{ organizationId: id }], 'go on', async (step) => {
        if (MOVE_STEPS.indexOf(step as (typeof MOVE_STEPS)[number]) < MOVE_STEPS.indexOf(wanted)) return false;
        await delay(Math.random() * 60);
        moments.push(step);
        return true;
      });
      if (told.get(id)!.includes(FINISHED)) break;
    }
    expect((await runProcess([{ organizationId: id }], 'go on')).get(id)!.at(-1)).toBe(FINISHED);
    await writers.stop();
    process.stdout.write(
      `killed in ${moments.join(', ')}: longest pause ${writers.longestPauseMs} ms, ${writers.acknowledged.length} acknowledged\n`,
    );
    expect(writers.failures).toEqual([]);
    expect(await writers.proof('two')).toEqual({
      lost: 0,
      doubled: 0,
      foreign: 0,
      counted: writers.acknowledged.length,
    });
    await expectMoved(id, await contentOf(shards.two, id));
  });
});
