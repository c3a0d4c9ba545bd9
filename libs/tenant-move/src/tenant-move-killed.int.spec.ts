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
import { MOVE_STEPS } from './move.state';

/** Built by `npm run build`: a process of its own can be killed. */
const PROGRAM = join(process.cwd(), 'dist/libs/tenant-move/test/move-process.js');
const RANDOM_KILLS = 6;

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

  function argumentsFor(organizationId: string, work: MoveProcessArguments['work']): MoveProcessArguments {
    return {
      organizationId,
      source: { shard: 'main', url: roleUrl(shards.home.config, 'mover') },
      target: { shard: 'two', url: roleUrl(shards.two.config, 'mover') },
      controlUrl: roleUrl(shards.home.config, 'control'),
      stateUrl: shards.home.adminUrl,
      work,
    };
  }

  /** Starts a process; `kill` decides at each step it reports. Resolves with the steps reported when the process has ended. */
  async function runProcess(
    organizationId: string,
    work: MoveProcessArguments['work'],
    kill: (step: string) => Promise<boolean> = async () => false,
  ): Promise<{ steps: string[]; finished: boolean }> {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(argumentsFor(organizationId, work))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(child);
    const ended = once(child, 'exit');
    const steps: string[] = [];
    let finished = false;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'finished') finished = true;
      const step = line.startsWith('step ') ? line.slice(5) : undefined;
      if (!step) continue;
      steps.push(step);
      if (await kill(step)) child.kill('SIGKILL');
    }
    await ended;
    children.delete(child);
    return { steps, finished };
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

  it.each(MOVE_STEPS)('goes on when it was killed at %s', async (step) => {
    const id = await filledOrganization();
    const before = await contentOf(shards.home, id);
    const first = await runProcess(id, 'go on', async (reported) => reported === step);
    expect(first).toEqual({ steps: expect.arrayContaining([step]), finished: false });
    const second = await runProcess(id, 'go on');
    expect(second.finished).toBe(true);
    const at = MOVE_STEPS.indexOf(step);
    expect(MOVE_STEPS.slice(at, at + 2)).toContain(second.steps[0]); // the step may have ended before the kill came
    await expectMoved(id, before);
  });

  it.each(MOVE_STEPS.slice(0, MOVE_STEPS.indexOf('flip')))('is rolled back when it was killed at %s', async (step) => {
    const id = await filledOrganization();
    const before = await contentOf(shards.home, id);
    await runProcess(id, 'go on', async (reported) => reported === step);
    expect((await runProcess(id, 'roll back')).finished).toBe(true);
    await expectRolledBack(id, before);
  });

  it('is rolled back or goes on, but nothing between, when it was killed at flip', async () => {
    const id = await filledOrganization();
    const before = await contentOf(shards.home, id);
    await runProcess(id, 'go on', async (step) => step === 'flip');
    const rolledBack = (await runProcess(id, 'roll back')).finished;
    if (!rolledBack) expect((await runProcess(id, 'go on')).finished).toBe(true);
    await (rolledBack ? expectRolledBack(id, before) : expectMoved(id, before));
  });

  it('loses and doubles no acknowledged write when it is killed again and again at any moment', async () => {
    const id = await filledOrganization();
    const writers = new Writers(shards, { organizationId: id, writers: 4, writesPerSecond: 100 });
    await writers.start();
    const moments: string[] = [];
    for (let turn = 0; turn < RANDOM_KILLS; turn += 1) {
      // At another step each time, and up to a moment into it that no step's end decides.
      const wanted = MOVE_STEPS[1 + turn]!;
      const { finished } = await runProcess(id, 'go on', async (step) => {
        if (MOVE_STEPS.indexOf(step as (typeof MOVE_STEPS)[number]) < MOVE_STEPS.indexOf(wanted)) return false;
        await delay(Math.random() * 60);
        moments.push(step);
        return true;
      });
      if (finished) break;
    }
    expect((await runProcess(id, 'go on')).finished).toBe(true);
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
