/** The runner with a handler that does as the spec wants, on the real table. */
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { newId, StockyardError } from '#libs/kernel';
import { StorageModule } from '#libs/storage';
import {
  createOrganization,
  createTestEnvironment,
  platformModules,
  type TestEnvironment,
  waitFor,
} from '#libs/testing';
import type { Facts, Operation } from '../operation/operation';
import { OperationHandler, OperationHandlers, type StepContext } from '../operation/operation-handler';
import { OperationRepository } from '../operation/operation.repository';
import { OperationService } from '../operation/operation.service';
import { OrganizationRecords } from '../directory/organization-records';
import { OperationRunner } from './operation-runner';

type Behaviour = (step: string, memory: Facts, context: StepContext) => Promise<Facts>;

const unavailable = () => new StockyardError({ code: 'away', category: 'unavailable', message: 'Away.' });
const final = () => new StockyardError({ code: 'wrong', category: 'unprocessable', message: 'Wrong for good.' });

/** Until it is told to stop. */
const forever = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

class ScriptedMove extends OperationHandler {
  override readonly kind = 'move';
  override readonly steps = ['one', 'two', 'three'] as const;
  override readonly pointOfNoReturn = 'three';
  readonly ran: string[] = [];
  behave: Behaviour = (_, memory) => Promise.resolve(memory);

  override async runStep(step: string, memory: Facts, context: StepContext): Promise<Facts> {
    this.ran.push(step);
    return { ...(await this.behave(step, memory, context)), [step]: true };
  }

  /** Once back from `two` where the memory says so. */
  override following(step: string, memory: Facts): string | undefined {
    if (step === 'two' && memory.again === true) return 'one';
    return super.following(step, memory);
  }

  override rollBack(memory: Facts): Promise<void> {
    this.ran.push(`back from ${Object.keys(memory).join('+')}`);
    return Promise.resolve();
  }

  override result(memory: Facts): Facts {
    return { did: Object.keys(memory) };
  }
}

describe('OperationRunner', () => {
  let env: TestEnvironment;
  let apps: INestApplicationContext[];
  let handler: ScriptedMove;
  let service: OperationService;
  let tenant: string;

  const worker = async (): Promise<INestApplicationContext> => {
    const app = await Test.createTestingModule({
      imports: [...platformModules(env.config), StorageModule],
      providers: [OperationRepository, OperationHandlers, OrganizationRecords, OperationService, OperationRunner],
    }).compile();
    await app.init();
    app.get(OperationHandlers).add(handler);
    apps.push(app);
    return app;
  };

  beforeAll(async () => {
    const second = JSON.stringify({ two: { url: 'postgres://127.0.0.1:1/nowhere' } });
    env = await createTestEnvironment({ OPERATION_LEASE_MS: '600', DATABASE_SHARDS: second });
  });
  afterAll(() => env.dispose());
  beforeEach(async () => {
    apps = [];
    handler = new ScriptedMove();
    tenant = (await createOrganization(env)).id;
    service = (await worker()).get(OperationService);
  });
  afterEach(async () => {
    for (const app of apps) await app.close();
    await env.query('delete from tenant_operations');
  });

  const start = (app: INestApplicationContext = apps[0]!) => {
    app.get(OperationRunner).start();
  };
  const ask = () => service.request(tenant, { kind: 'move', shard: 'two' }, newId());
  const reached = (id: string, what: (operation: Operation) => boolean): Promise<Operation> =>
    waitFor(async () => ((operation) => (what(operation) ? operation : undefined))(await service.get(id)), {
      what: 'the operation to get there',
      timeoutMs: 20_000,
    });
  const ended = (id: string) => reached(id, ({ finishedAt }) => finishedAt !== null);

  it('runs the steps in order, each from what the one before handed on', async () => {
    start();
    const { id, state } = await ask();
    expect(state).toBe('queued');
    expect(await ended(id)).toMatchObject({
      state: 'completed',
      result: { did: ['one', 'two', 'three'] },
      error: null,
    });
    expect(handler.ran).toEqual(['one', 'two', 'three']);
  });

  it('is in the hands of one of several workers', async () => {
    start();
    for (let index = 0; index < 3; index += 1) start(await worker());
    const { id } = await ask();
    await ended(id);
    expect(handler.ran).toEqual(['one', 'two', 'three']);
  });

  it('takes what was asked of its own region, or before there were regions', async () => {
    const { id } = await ask();
    const [made] = await env.query<{ region: string }>('select region from tenant_operations where id = $1', [id]);
    expect(made).toEqual({ region: 'default' });
    await env.query("update tenant_operations set region = 'elsewhere' where id = $1", [id]);
    const operations = apps[0]!.get(OperationRepository);
    expect(await operations.claim(newId(), ['move'], 600)).toBeUndefined();
    await env.query('update tenant_operations set region = null where id = $1', [id]);
    start();
    expect(await ended(id)).toMatchObject({ state: 'completed' });
  });

  it('tries a step again while something is away, tells why, and forgets it when it went well', async () => {
    let away = 2;
    handler.behave = (step, memory) =>
      step === 'two' && away-- > 0 ? Promise.reject(unavailable()) : Promise.resolve(memory);
    start();
    const { id } = await ask();
    await reached(id, ({ error }) => error?.code === 'away');
    expect(await ended(id)).toMatchObject({ state: 'completed', error: null });
    expect(handler.ran).toEqual(['one', 'two', 'two', 'two', 'three']);
  });

  it('undoes what failed for good, and keeps the reason', async () => {
    handler.behave = (step, memory) => (step === 'two' ? Promise.reject(final()) : Promise.resolve(memory));
    start();
    const { id } = await ask();
    expect(await ended(id)).toMatchObject({ state: 'failed', error: { code: 'wrong', message: 'Wrong for good.' } });
    expect(handler.ran).toEqual(['one', 'two', 'back from one']);
  });

  it('only goes forward from the point of no return on', async () => {
    let wrong = 2;
    handler.behave = (step, memory) =>
      step === 'three' && wrong-- > 0 ? Promise.reject(final()) : Promise.resolve(memory);
    start();
    const { id } = await ask();
    await reached(id, ({ error }) => error?.code === 'wrong');
    await expect(service.rollBack(id)).rejects.toMatchObject({ code: 'operation_not_undoable' });
    expect(await ended(id)).toMatchObject({ state: 'completed' });
    expect(handler.ran).toEqual(['one', 'two', 'three', 'three', 'three']);
  });

  it('cuts a step off when an operator asks to roll back', async () => {
    handler.behave = (step, memory, { signal }) => (step === 'two' ? forever(signal) : Promise.resolve(memory));
    start();
    const { id } = await ask();
    await reached(id, ({ step }) => step === 'two');
    expect(await service.rollBack(id)).toMatchObject({ rollingBack: true });
    expect(await ended(id)).toMatchObject({ state: 'rolled_back', error: null });
    expect(handler.ran).toEqual(['one', 'two', 'back from one']);
    await expect(service.rollBack(id)).rejects.toMatchObject({ code: 'operation_not_undoable' });
  });

  it('has little to undo of an operation that no worker took yet', async () => {
    const { id } = await ask();
    await service.rollBack(id);
    start();
    expect(await ended(id)).toMatchObject({ state: 'rolled_back' });
    expect(handler.ran).toEqual(['back from ']);
  });

  it('lets go when its lease is taken, and what it still does is not recorded', async () => {
    let reason: unknown;
    handler.behave = (step, memory, { signal }) =>
      step === 'two' && reason === undefined
        ? forever(signal).catch((error: unknown) => {
            reason = error;
            return memory; // as if it had not noticed
          })
        : Promise.resolve(memory);
    start();
    const { id } = await ask();
    await reached(id, ({ step }) => step === 'two');
    await env.query(
      "update tenant_operations set runner = gen_random_uuid(), lease_until = now() + interval '2 seconds'",
    );
    await waitFor(() => Promise.resolve(reason !== undefined), { what: 'the step to be told' });
    expect(await service.get(id)).toMatchObject({ step: 'two' });
    expect(await ended(id)).toMatchObject({ state: 'completed' });
    expect(handler.ran).toEqual(['one', 'two', 'two', 'three']);
  });

  it('goes back to an earlier step where the kind wants to', async () => {
    handler.behave = (step, memory) =>
      Promise.resolve({ ...memory, again: step === 'two' && memory.two === undefined });
    start();
    const { id } = await ask();
    expect(await ended(id)).toMatchObject({ state: 'completed' });
    expect(handler.ran).toEqual(['one', 'two', 'one', 'two', 'three']);
  });

  it('begins a long step again from its last checkpoint', async () => {
    let first = true;
    handler.behave = async (step, memory, context) => {
      if (step !== 'two' || !first) return memory;
      first = false;
      await context.checkpoint({ ...memory, half: true });
      throw unavailable();
    };
    start();
    const { id } = await ask();
    expect(await ended(id)).toMatchObject({ result: { did: expect.arrayContaining(['half', 'two']) as unknown } });
  });
});
