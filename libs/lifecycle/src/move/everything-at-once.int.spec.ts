/**
 * One organization is moved back and forth while operators suspend and resume it, give its bucket away, and the upkeep puts its
 * place in line from what it read a while ago; writers never stop.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { TenantDatabase, tenantStatement } from '#libs/database';
import { newId, StockyardError } from '#libs/kernel';
import {
  BucketService,
  OrganizationService,
  OrganizationsModule,
  OrganizationsWorkerModule,
} from '#libs/organizations';
import { UpkeepTasks } from '#libs/queues';
import { type Organization, shardKeyOf } from '#libs/tenancy';
import {
  asTenant,
  createOrganization,
  createTestEnvironment,
  platformModules,
  type TestEnvironment,
} from '#libs/testing';
import { ended, lifecycleUnderTest } from '../../test/lifecycle-under-test';
import { OrganizationRecords } from '../directory/organization-records';
import { OperationService } from '../operation/operation.service';

const insert = tenantStatement(
  'attack_insert',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)',
);
const MOVES = 5;
const WRITERS = 4;
const TIMEOUT_MS = 120_000;
const PASSING = new Set(['organization_moving', 'organization_not_active', 'database_busy']);

describe('An organization to which everything happens at once', () => {
  let env: TestEnvironment;
  let worker: INestApplicationContext;
  let apps: TestingModule[] = [];
  const tasks = new UpkeepTasks();

  const open = async () => {
    const imports = [...platformModules(env.config), OrganizationsModule, OrganizationsWorkerModule];
    const builder = Test.createTestingModule({ imports });
    return (await builder.useMocker((token) => (token === UpkeepTasks ? tasks : undefined)).compile()).init();
  };

  beforeAll(async () => {
    env = await createTestEnvironment({ OPERATION_LEASE_MS: '2000', MOVE_GRACE_MS: '1' }, { shards: 2 });
    worker = await lifecycleUnderTest(env.config);
    apps = await Promise.all([open(), open()]);
  });
  afterAll(async () => {
    await Promise.all([worker, ...apps].map((app) => app.close()));
    await env.dispose();
  });

  it(
    'loses and doubles nothing, is not written to while it is suspended, and ends where the directory says',
    async () => {
      const { id } = await createOrganization(env);
      const [api] = apps as [TestingModule, TestingModule];
      const organizations = api.get(OrganizationService);
      let going = true;
      /** Of performance.now(): when a suspension had taken effect, until before it was ended. */
      const suspended: { from: number; to: number }[] = [];
      const acknowledged: { code: string; began: number; ended: number }[] = [];
      const unexpected: unknown[] = [];
      const note = (error: unknown) => {
        if (!(error instanceof StockyardError && PASSING.has(error.code))) unexpected.push(error);
      };
      const become = (state: 'active' | 'suspended') =>
        organizations.update({
          ...{ id, change: { state }, expectedVersion: undefined },
          beforeCommit: () => Promise.resolve(),
        });
      const repeat = async (pauseMs: number, work: () => Promise<unknown>) => {
        while (going) {
          await work().catch(note);
          await delay(Math.random() * pauseMs);
        }
      };

      const writing = Array.from({ length: WRITERS }, (_, index) =>
        repeat(10, async () => {
          const [code, began] = [newId().slice(-12), performance.now()];
          const app = apps[index % 2]!;
          await asTenant(app, { id }, () => app.get(TenantDatabase).statement(insert(newId(), code)));
          acknowledged.push({ code, began, ended: performance.now() });
        }),
      );
      const suspending = repeat(6_000, async () => {
        await become('suspended');
        const from = performance.now();
        await delay(Math.random() * 100);
        const to = performance.now();
        await become('active');
        suspended.push({ from, to });
      });
      const giving = repeat(200, () =>
        api
          .get(BucketService)
          .assign({ from: shardKeyOf(id), to: shardKeyOf(id) }, Math.random() < 0.5 ? 'main' : 'two'),
      );
      const read: Organization[] = [];
      const [upkeep] = tasks.all();
      const aligning = repeat(20, async () => {
        read.push(await organizations.get(id));
        await upkeep!.run(read[Math.floor(Math.random() * read.length)]!);
      });

      const outcomes: string[] = [];
      try {
        for (let n = 0; n < MOVES; n += 1) {
          const { shard } = (await worker.get(OrganizationRecords).find(id))!;
          const to = shard === 'main' ? 'two' : 'main';
          const operation = await worker.get(OperationService).request(id, { kind: 'move', shard: to }, newId());
          const { state, error } = await ended(worker, operation);
          outcomes.push(error ? `${state}: ${error.code}` : state);
        }
      } finally {
        going = false;
      }
      await Promise.all([...writing, suspending, giving, aligning]);
      process.stdout.write(
        `moves: ${outcomes.join(', ')}; ${suspended.length} suspensions, ${acknowledged.length} writes\n`,
      );

      expect(unexpected).toEqual([]);
      expect(outcomes.filter((one) => !/^(completed|failed: move_overtaken)$/.test(one))).toEqual([]);
      // Who came during a suspension and waited at the place may be let in after its end.
      const during = acknowledged.filter((one) => suspended.some(({ from, to }) => one.began > from && one.ended < to));
      expect(during).toEqual([]);
      const { shard, epoch, state } = (await worker.get(OrganizationRecords).find(id))!;
      expect(state).toBe('active');
      for (const { name, query } of env.shards) {
        const rows = await query<{ code: string }>(
          'select code from locations where organization_id = $1 and not is_default order by code',
          [id],
        );
        const wanted = name === shard ? acknowledged.map(({ code }) => code).sort() : [];
        expect(rows.map(({ code }) => code)).toEqual(wanted);
        const places = await query<{ state: string; epoch: number }>(
          'select state, epoch from tenant_places where tenant = $1',
          [id],
        );
        if (name === shard) expect(places).toEqual([{ state: 'open', epoch }]);
        else expect(places.filter((place) => place.state !== 'moved')).toEqual([]);
      }
    },
    TIMEOUT_MS,
  );
});
