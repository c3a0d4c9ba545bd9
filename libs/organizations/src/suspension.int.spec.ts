/** Suspending an organization takes effect in every process at once, whether it has heard of it or not. */
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule } from '#libs/config';
import { DatabaseModule, TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { MessagingModule } from '#libs/messaging';
import { Directory, TenancyModule, TenantContextHolder } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment, type TestOrganization } from '#libs/testing';
import { OrganizationService, OrganizationsModule } from '.';

const insert = tenantStatement(
  'suspension_insert',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)',
);
const list = tenantRead('suspension_list', 'select code from locations where organization_id = $1 order by code');

const codeOf = (error: unknown) => (error as { code: string }).code;

describe('suspending an organization', () => {
  let env: TestEnvironment;
  /** The second one hears of nothing: nobody listens to messages there. */
  let apps: TestingModule[];
  let tenant: TestOrganization;

  const open = async () =>
    (
      await Test.createTestingModule({
        imports: [
          ConfigModule.forRoot(env.config),
          TenancyModule,
          DatabaseModule.forRoot({ config: env.config, applicationName: 'spec' }),
          MessagingModule.forRoot(env.config),
          OrganizationsModule,
        ],
      }).compile()
    ).init();

  const as = <T>(app: TestingModule, type: 'system' | 'operator', work: (database: TenantDatabase) => Promise<T>) =>
    app
      .get(TenantContextHolder)
      .run({ organizationId: tenant.id, actor: { type, id: null }, permissions: new Set(), requestId: newId() }, () =>
        work(app.get(TenantDatabase)),
      );

  const write = (app: TestingModule, code: string, type: 'system' | 'operator' = 'system') =>
    as(app, type, (database) => database.statement(insert(newId(), code)));

  const read = (app: TestingModule) => as(app, 'system', (database) => database.statement<{ code: string }>(list()));

  const become = (state: 'active' | 'suspended') =>
    apps[0]!.get(OrganizationService).update({
      ...{ id: tenant.id, change: { state }, expectedVersion: undefined },
      beforeCommit: () => Promise.resolve(),
    });

  beforeAll(async () => {
    env = await createTestEnvironment();
    apps = [await open(), await open()];
  });

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await env.dispose();
  });

  beforeEach(async () => {
    tenant = await createOrganization(env);
    await Promise.all(apps.map((app) => app.get(Directory).find(tenant.id)));
  });

  it('refuses every write from then on, and none that operators make; reads go on', async () => {
    await become('suspended');
    for (const app of apps) {
      await expect(write(app, 'REFUSED')).rejects.toMatchObject({ code: 'organization_not_active' });
      await write(app, `O-${newId().slice(-8)}`, 'operator');
      expect((await read(app)).map(({ code }) => code)).toContain('MAIN');
    }
    expect((await read(apps[1]!)).map(({ code }) => code)).not.toContain('REFUSED');
  });

  it('ends with the next state, in every process at once', async () => {
    await become('suspended');
    await expect(write(apps[1]!, 'NO')).rejects.toMatchObject({ code: 'organization_not_active' });
    await become('active');
    await Promise.all(apps.map((app, index) => write(app, `BACK-${index}`)));
    expect((await read(apps[1]!)).map(({ code }) => code)).toEqual(['BACK-0', 'BACK-1', 'MAIN']);
  });

  it('waits for the writes that are under way, and lets none begin meanwhile', async () => {
    let end!: () => void;
    const held = new Promise<void>((resolve) => (end = resolve));
    let begun!: () => void;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const underWay = as(apps[1]!, 'system', (database) =>
      database.write(async (manager) => {
        await manager.query("insert into locations (organization_id, id, code, name) values ($1, $2, 'HELD', 'x')", [
          tenant.id,
          newId(),
        ]);
        begun();
        await held;
      }),
    );
    await running;
    const committed = "select from locations where organization_id = $1 and code = 'HELD'";
    let isSuspended = false;
    const suspending = become('suspended').then(async () => {
      isSuspended = true;
      return (await env.query(committed, [tenant.id])).length; // the answers to both may overtake each other, the commit not
    });
    const late = write(apps[1]!, 'LATE').then(() => 'written', codeOf);
    // It either came before the change of state or is refused by it.
    const outcome = await late;
    expect(isSuspended).toBe(false);
    end();
    expect(await suspending).toBe(1);
    await underWay;
    const there = (await read(apps[0]!)).map(({ code }) => code);
    expect(there).toContain('HELD');
    expect(there.includes('LATE')).toBe(outcome === 'written');
    await expect(write(apps[1]!, 'NO')).rejects.toMatchObject({ code: 'organization_not_active' });
  });

  it('lets no write in after it has resolved, however many are made while it takes effect', async () => {
    let going = true;
    let acknowledged = 0;
    const writers = apps.flatMap((app) =>
      Array.from({ length: 10 }, async () => {
        while (going) {
          const failure = await write(app, newId().slice(-12)).then(() => undefined, codeOf);
          if (failure === undefined) acknowledged += 1;
          else expect(failure).toBe('organization_not_active');
        }
      }),
    );
    const count = async () =>
      (
        await env.query<{ count: number }>('select count(*)::int as count from locations where organization_id = $1', [
          tenant.id,
        ])
      )[0]!.count;
    await become('suspended');
    const [then, known] = [await count(), acknowledged];
    await Promise.all(apps.map((app) => expect(write(app, 'NO')).rejects.toThrow()));
    going = false;
    await Promise.all(writers);
    expect(await count()).toBe(then);
    expect(acknowledged).toBe(then - 1);
    expect(acknowledged).toBeGreaterThanOrEqual(known);
  });
});
