/** An organization that is suspended in the worst moments of its move: behind the fence, and around the flip. */
import { Test, type TestingModule } from '@nestjs/testing';
import { newId } from '#libs/kernel';
import { OrganizationService, OrganizationsModule } from '#libs/organizations';
import type { MoveDirectory } from '#libs/tenant-move';
import { createOrganization, createTestEnvironment, platformModules, type TestEnvironment } from '#libs/testing';
import type { INestApplicationContext } from '@nestjs/common';
import { ended, lifecycleUnderTest } from '../../test/lifecycle-under-test';
import { OrganizationRecords } from '../directory/organization-records';
import { OperationService } from '../operation/operation.service';

type Replace = MoveDirectory['replace'];

describe('A suspension while its organization moves', () => {
  let env: TestEnvironment;
  let worker: INestApplicationContext;
  let api: TestingModule;
  let id: string;

  beforeAll(async () => {
    env = await createTestEnvironment({ OPERATION_LEASE_MS: '2000', MOVE_GRACE_MS: '1' }, { shards: 2 });
    worker = await lifecycleUnderTest(env.config);
    api = await Test.createTestingModule({ imports: [...platformModules(env.config), OrganizationsModule] }).compile();
    await api.init();
  });
  afterAll(async () => {
    await Promise.all([worker.close(), api.close()]);
    await env.dispose();
  });
  beforeEach(async () => {
    ({ id } = await createOrganization(env));
  });
  afterEach(() => jest.restoreAllMocks());

  const become = (state: 'active' | 'suspended') =>
    api.get(OrganizationService).update({
      ...{ id, change: { state }, expectedVersion: undefined },
      beforeCommit: () => Promise.resolve(),
    });
  /** Of an api that is lost before it tells the shard. */
  const becomeInDirectoryOnly = () =>
    env.query("update organizations set state = 'suspended', epoch = epoch + 1, version = version + 1 where id = $1", [
      id,
    ]);
  const places = () =>
    Promise.all(
      env.shards.map(
        async ({ query }) => (await query('select state, epoch from tenant_places where tenant = $1', [id]))[0],
      ),
    );
  const rowsOn = (shard: 0 | 1) =>
    env.shards[shard]!.query('select from locations where organization_id = $1', [id]).then(({ length }) => length);
  const entry = async () => {
    const { state, shard, epoch } = (await worker.get(OrganizationRecords).find(id))!;
    return { state, shard, epoch };
  };

  /** Moves with `around` in the way of every change of the directory that the move asks for. */
  const move = async (around: (shard: string, replace: () => Promise<boolean>) => Promise<boolean>) => {
    const records = worker.get(OrganizationRecords);
    const placement = records.placement.bind(records);
    jest.spyOn(records, 'placement').mockImplementation((tenant) => {
      const directory = placement(tenant);
      const replace: Replace = (epoch, next) => around(next.shard, () => directory.replace(epoch, next));
      return { read: () => directory.read(), replace };
    });
    const request = { kind: 'move', shard: 'two' } as const;
    return ended(worker, await worker.get(OperationService).request(id, request, newId()));
  };
  const goesOnAsBefore = async () => {
    jest.restoreAllMocks();
    await become('active');
    const { epoch } = await entry();
    expect((await places())[0]).toEqual({ state: 'open', epoch });
    expect(await move((_, replace) => replace())).toMatchObject({ state: 'completed' });
    expect([await rowsOn(0), await rowsOn(1)]).toEqual([0, 1]);
  };

  it.each([
    ['in the directory and on the shard', () => become('suspended')],
    ['in the directory, by an api that was lost then', becomeInDirectoryOnly],
  ])('before the flip commits ends the move with a suspended place: %s', async (_, suspend) => {
    let isDone = false;
    const operation = await move(async (shard, replace) => {
      if (shard === 'two' && !isDone) {
        isDone = true;
        await suspend();
      }
      return replace();
    });
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'move_overtaken' } });
    expect(await entry()).toEqual({ state: 'suspended', shard: 'main', epoch: 2 });
    expect(await places()).toEqual([{ state: 'suspended', epoch: 2 }, undefined]);
    expect([await rowsOn(0), await rowsOn(1)]).toEqual([1, 0]);
    await goesOnAsBefore();
  });

  it('between the end of the fence in the directory and on the shard ends with a suspended place', async () => {
    let isDone = false;
    const operation = await move(async (shard, replace) => {
      if (isDone) return replace();
      if (shard === 'two') throw new Error('the flip fails');
      const replaced = await replace();
      isDone = true;
      await become('suspended');
      expect((await places())[0]).toEqual({ state: 'suspended', epoch: 4 });
      return replaced;
    });
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'move_overtaken' } });
    expect(await entry()).toEqual({ state: 'suspended', shard: 'main', epoch: 4 });
    expect(await places()).toEqual([{ state: 'suspended', epoch: 4 }, undefined]);
    await goesOnAsBefore();
  });

  it('after a flip whose answer was lost is the new place’s, and the move ends', async () => {
    let isDone = false;
    const operation = await move(async (shard, replace) => {
      if (isDone || shard !== 'two') return replace();
      await replace();
      isDone = true;
      await become('suspended');
      throw new Error('the answer is lost');
    });
    expect(operation).toMatchObject({ state: 'completed' });
    expect(await entry()).toEqual({ state: 'suspended', shard: 'two', epoch: 4 });
    expect(await places()).toEqual([
      { state: 'moved', epoch: 3 },
      { state: 'suspended', epoch: 4 },
    ]);
    expect([await rowsOn(0), await rowsOn(1)]).toEqual([0, 1]);
  });
});
