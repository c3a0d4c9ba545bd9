/** Usage when processes are killed and answers are lost: never more than was counted, and less by one flush at most. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor, Way } from '#libs/testing';
import { meteringProcess } from '../test/usage-process';
import { UsageMeter } from '.';

const PROGRAM = join(process.cwd(), 'dist/libs/usage/test/usage-process.js');
const PROCESSES = 8;

describe('usage when something is lost', () => {
  let env: TestEnvironment;

  beforeAll(async () => {
    env = await createTestEnvironment();
    Logger.overrideLogger(false);
  });

  afterAll(async () => {
    Logger.overrideLogger(true);
    await env.dispose();
  });

  /** What was counted, by whichever of the tables; they were added to together, or one of them lies. */
  const stored = async (organizationId: string): Promise<number> => {
    const rolled = (table: string, rows: string) =>
      `(select sum(calls) from ${table} where organization_id = $1 and activity ${rows} '')`;
    const times = (table: string) =>
      `(select sum(n) from ${table}, unnest(latencies) with ordinality l (n, place)
        where organization_id = $1 and activity <> '' and place % 2 = 0)`;
    const tables = ['tenant_minutes', 'tenant_hours', 'tenant_days'];
    const sums = tables.flatMap((table) => [rolled(table, '='), rolled(table, '<>'), times(table)]);
    const [row] = await env.query<{ value: string | null; sums: (string | null)[] }>(
      `select (select sum(value) from tenant_usage where organization_id = $1 and metric = 'api_calls') as value,
         array[${sums.join(', ')}] as sums`,
      [organizationId],
    );
    expect(row!.sums.map(Number)).toEqual(sums.map(() => Number(row!.value)));
    return Number(row!.value ?? 0);
  };

  describe('in a process that is killed', () => {
    let directory: string;

    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'stockyard-usage-'));
    });

    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    /** Counts in a process of its own, kills it somewhere, and answers what it had counted and what it knew to be written. */
    async function killed(organizations: readonly string[]): Promise<{ counted: number; flushed: number }> {
      if (!existsSync(PROGRAM)) throw new Error('dist is missing: run `npm run build` first.');
      const said = join(directory, newId());
      const output = openSync(said, 'w');
      const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...organizations], {
        env: { PATH: process.env.PATH ?? '', ...env.variables },
        stdio: ['ignore', output, 'inherit'],
      });
      closeSync(output);
      const last = (kind: string) => {
        const lines = readFileSync(said, 'utf8').split('\n').slice(0, -1); // the last one may be half written
        return Number(lines.findLast((line) => line.startsWith(kind))?.slice(kind.length) ?? 0);
      };
      await waitFor(() => last('f') > 0, { what: 'a flush', timeoutMs: 30_000 });
      await pause(Math.random() * 150); // anywhere: between flushes, in one, between commit and answer
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      return { counted: last('c'), flushed: last('f') };
    }

    it(`keeps what was flushed and never more than was counted, in ${PROCESSES} processes`, async () => {
      for (let round = 0; round < PROCESSES / 2; round += 1) {
        const pair = await Promise.all(
          [1, 2].map(async () => {
            const organizations = [(await createOrganization(env)).id, (await createOrganization(env)).id];
            return { organizations, ...(await killed(organizations)) };
          }),
        );
        // A flight that the dead process had sent commits behind its back; then nothing moves any more.
        const idle = () =>
          env
            .query(
              "select from pg_stat_activity where application_name = 'test-usage' and datname = current_database()",
            )
            .then(({ length }) => length === 0);
        await waitFor(idle, { what: 'the connections of the dead to end' });
        for (const { organizations, counted, flushed } of pair) {
          for (const id of organizations) {
            const value = await stored(id);
            expect(value).toBeGreaterThanOrEqual(flushed);
            expect(value).toBeLessThanOrEqual(counted);
          }
        }
      }
    });
  });

  describe('on the way to the database', () => {
    let way: Way;
    let app: INestApplicationContext;
    let meter: UsageMeter;

    beforeEach(async () => {
      way = new Way(env.adminUrl);
      await way.open();
      const variables = { ...env.variables, DATABASE_URL: way.url, DATABASE_ANSWER_TIMEOUT_MS: '300' };
      const config = loadConfig({ ...variables, DATABASE_REPLICA_URLS: '', DATABASE_POOL_WAIT_MS: '1000' });
      app = await meteringProcess({ ...config, USAGE_FLUSH_MS: 60_000 });
      meter = app.get(UsageMeter);
    });

    afterEach(async () => {
      await app.close();
      await way.cut();
    });

    const call = (id: string, times: number) => {
      for (let each = 0; each < times; each += 1) {
        meter.called(id, 'GET /v1/a');
        meter.answered(id, 'GET /v1/a', { bytesIn: 0, durationUs: 5_000, failed: false });
      }
    };
    const reopen = async () => {
      await way.cut();
      await way.open();
    };
    const settle = (organizationId: string, counted: number) =>
      waitFor(
        async () => {
          await meter.flush();
          return (await stored(organizationId)) >= counted;
        },
        { what: 'what was counted to be written', timeoutMs: 20_000 },
      );

    it('counts a flush once whose commit happened and whose confirmation was lost', async () => {
      const { id } = await createOrganization(env);
      call(id, 1);
      await meter.flush(); // a connection is open
      for (let round = 1; round <= 5; round += 1) {
        way.swallowAnswers();
        call(id, 10);
        const flushing = meter.flush();
        await waitFor(async () => (await stored(id)) === 1 + round * 11 - 1, { what: 'the commit' });
        if (round % 2 === 0) await way.cut(); // broken, or silent until the deadline
        call(id, 1);
        await flushing;
        await reopen();
        await settle(id, 1 + round * 11);
        await meter.flush();
        expect(await stored(id)).toBe(1 + round * 11);
      }
    });

    it('is exact after cuts and lost answers at random moments', async () => {
      const organizations = await Promise.all(Array.from({ length: 4 }, () => createOrganization(env)));
      let counted = 0;
      const work = { goesOn: true };
      const chaos = (async () => {
        for (let round = 0; round < 12; round += 1) {
          await pause(Math.random() * 60);
          if (Math.random() < 0.5) way.swallowAnswers();
          await pause(Math.random() * 20);
          await reopen();
        }
        work.goesOn = false;
      })();
      while (work.goesOn) {
        for (const { id } of organizations) call(id, 3);
        counted += 3;
        await meter.flush();
        await pause(1);
      }
      await chaos;
      for (const { id } of organizations) {
        await settle(id, counted);
        await meter.flush();
        expect(await stored(id)).toBe(counted);
      }
    });
  });
});
