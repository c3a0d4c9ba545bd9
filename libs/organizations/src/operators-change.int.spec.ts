/** What an operator changes while the tenant's place is not what the directory says: under a fence, or behind it. */
import type { TestingModule } from '@nestjs/testing';
import { Test } from '@nestjs/testing';
import { TenantDatabase, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { Directory, TenantContextHolder } from '#libs/tenancy';
import {
  createOrganization,
  createTestEnvironment,
  platformModules,
  type TestEnvironment,
  type TestOrganization,
} from '#libs/testing';
import { OrganizationService, OrganizationsModule, type PlaceForHook } from '.';

const insert = tenantStatement(
  'operators_insert',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)',
);
/** More than the control pool has connections. */
const CHANGES = 8;

describe('an operator’s change', () => {
  let env: TestEnvironment;
  let app: TestingModule;

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({ imports: [...platformModules(env.config), OrganizationsModule] }).compile();
    await app.init();
  });
  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  /** As the audit log is written: with the place that the change hands out. */
  const change = ({ id }: TestOrganization) =>
    app.get(OrganizationService).update({
      ...{ id, change: { name: 'Changed' }, expectedVersion: undefined },
      beforeCommit: (_, place: PlaceForHook) =>
        app.get(TenantContextHolder).run(
          {
            ...{ organizationId: id, actor: { type: 'operator', id: null }, permissions: new Set() },
            ...{ requestId: newId(), place },
          },
          () =>
            app
              .get(TenantDatabase)
              .statement(insert(newId(), 'AUDIT'))
              .then(() => undefined),
        ),
    });
  const nameOf = async ({ id }: TestOrganization) =>
    (await env.query<{ name: string }>('select name from organizations where id = $1', [id]))[0]!.name;
  const written = async ({ id }: TestOrganization) =>
    (await env.query("select from locations where organization_id = $1 and code = 'AUDIT'", [id])).length;

  it('is refused at once under the fence of a move, and keeps nobody from the directory', async () => {
    const fenced = await Promise.all(Array.from({ length: CHANGES }, () => createOrganization(env)));
    for (const { id } of fenced)
      await env.query("update tenant_places set state = 'fenced', epoch = 2 where tenant = $1", [id]);
    const since = performance.now();
    const changes = fenced.map(change);
    const other = await createOrganization(env);
    await expect(app.get(Directory).find(other.id)).resolves.toMatchObject({ id: other.id });
    const outcomes = await Promise.allSettled(changes);
    expect(performance.now() - since).toBeLessThan(2_000);
    const refused = outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as object) : outcome));
    expect(refused).toEqual(
      Array(CHANGES).fill(expect.objectContaining({ code: 'organization_moving', category: 'unavailable' })),
    );
    expect(await Promise.all(fenced.map(written))).toEqual(Array(CHANGES).fill(0));
    expect(await nameOf(fenced[0]!)).toBe(fenced[0]!.slug);
  });

  it('waits where only the lock of a fence is held, which ends', async () => {
    const tenant = await createOrganization(env);
    const drain = await env.connectAs('control');
    try {
      await drain.query('begin');
      await drain.query('select drain_writers($1)', [tenant.id]);
      const changing = change(tenant);
      const waiting = Symbol('waiting');
      const soon = new Promise((resolve) => setTimeout(resolve, 200, waiting));
      expect(await Promise.race([changing.catch((error: unknown) => error), soon])).toBe(waiting);
      await drain.query('commit');
      await expect(changing).resolves.toMatchObject({ name: 'Changed' });
    } finally {
      await drain.end();
    }
    expect(await written(tenant)).toBe(1);
  });

  it('brings a place in line that is behind the directory, and is done', async () => {
    const tenant = await createOrganization(env);
    await env.query('update organizations set epoch = 5 where id = $1', [tenant.id]);
    await expect(change(tenant)).resolves.toMatchObject({ name: 'Changed', epoch: 5 });
    expect(await written(tenant)).toBe(1);
    const place = await env.query('select epoch, state from tenant_places where tenant = $1', [tenant.id]);
    expect(place).toEqual([{ epoch: 5, state: 'open' }]);
  });
});
