import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { newId } from '#libs/kernel';
import { MessagingModule } from '#libs/messaging';
import { Directory, TenancyModule, TIER_LIMITS } from '#libs/tenancy';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { OrganizationService, OrganizationsModule } from '.';

const nothing = () => Promise.resolve();
const refused = (code: string): unknown => expect.objectContaining({ code });

describe('OrganizationService', () => {
  let env: TestEnvironment;
  let app: TestingModule;
  let organizations: OrganizationService;
  let directory: Directory;

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(env.config),
        TenancyModule,
        DatabaseModule.forRoot({ config: env.config, applicationName: 'spec' }),
        MessagingModule.forRoot(env.config),
        OrganizationsModule,
      ],
    }).compile();
    await app.init();
    organizations = app.get(OrganizationService);
    directory = app.get(Directory);
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  const input = (change: Record<string, unknown> = {}) => ({
    slug: `o-${newId()}`,
    name: 'An organization',
    ...change,
  });
  const change = <T>(id: string, value: T, expectedVersion?: number) => ({
    id,
    change: value,
    expectedVersion,
    beforeCommit: nothing,
  });

  it('makes an organization that the directory finds by id and slug, with the limits of its tier', async () => {
    const made = await organizations.create(input({ tier: 'starter', limits: { maxUsers: 7 } }), nothing);
    expect(made).toMatchObject({ tier: 'starter', region: 'default', state: 'active', epoch: 1, version: 1 });
    expect(made.limits).toEqual({ ...TIER_LIMITS.starter, maxUsers: 7 });
    await expect(directory.find(made.id)).resolves.toEqual(made);
    await expect(directory.findBySlug(made.slug)).resolves.toEqual(made);
  });

  it('shows an organization to nobody before its own rows are written', async () => {
    const wanted = input();
    const made = await organizations.create(wanted, async ({ id }) => {
      expect(await env.query('select id from organizations where id = $1', [id])).toEqual([]);
    });
    expect(await env.query('select id from organizations where id = $1', [made.id])).toHaveLength(1);
  });

  it('makes nothing when writing those rows fails, and leaves the slug free', async () => {
    const wanted = input();
    const failing = organizations.create(wanted, () => Promise.reject(new Error('no default location')));
    await expect(failing).rejects.toThrow('no default location');
    await expect(organizations.create(wanted, nothing)).resolves.toMatchObject({ slug: wanted.slug });
  });

  it('gives a slug to one of many who ask for it at once, before anyone writes tenant rows for it', async () => {
    const wanted = input();
    let written = 0;
    const write = () => {
      written += 1;
      return Promise.resolve();
    };
    const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => organizations.create(wanted, write)));
    const losers = attempts.filter((attempt) => attempt.status === 'rejected');
    expect(losers.map(({ reason }) => (reason as { code: string }).code)).toEqual(Array(9).fill('slug_taken'));
    expect(written).toBe(1);
  });

  it('takes no slug that looks like an id', async () => {
    await expect(organizations.create(input({ slug: newId() }), nothing)).rejects.toEqual(refused('slug_reserved'));
  });

  it('suspends and resumes with a rising epoch, at once for this process', async () => {
    const { id } = await organizations.create(input(), nothing);
    await directory.find(id);
    await organizations.update(change(id, { state: 'suspended' as const }));
    await expect(directory.find(id)).resolves.toMatchObject({ state: 'suspended', epoch: 2, version: 2 });
    await organizations.update(change(id, { name: 'Renamed' }));
    await organizations.update(change(id, { state: 'active' as const }));
    await expect(directory.find(id)).resolves.toMatchObject({ state: 'active', name: 'Renamed', epoch: 3, version: 4 });
  });

  it('does not set the state of an organization that is moving', async () => {
    const { id } = await organizations.create(input(), nothing);
    await env.query("update organizations set state = 'moving' where id = $1", [id]);
    const resumed = organizations.update(change(id, { state: 'active' as const }));
    await expect(resumed).rejects.toEqual(refused('organization_state_locked'));
    await expect(organizations.update(change(id, { name: 'Still moving' }))).resolves.toMatchObject({
      state: 'moving',
    });
  });

  it('overrides, keeps and takes back limits', async () => {
    const { id } = await organizations.create(input({ limits: { maxUsers: 7 } }), nothing);
    await organizations.putLimits(change(id, { maxStorageBytes: 5_000_000_000 }));
    const both = await organizations.get(id);
    expect(both.limits).toMatchObject({ maxUsers: 7, maxStorageBytes: 5_000_000_000 });
    const back = await organizations.putLimits(change(id, { maxUsers: null }, both.version));
    expect(back.limits).toEqual({ ...TIER_LIMITS.free, maxStorageBytes: 5_000_000_000 });
  });

  it('refuses a change on top of an old version, and undoes one whose audit entry cannot be written', async () => {
    const { id } = await organizations.create(input(), nothing);
    await organizations.update(change(id, { name: 'One' }, 1));
    await expect(organizations.update(change(id, { name: 'Two' }, 1))).rejects.toEqual(refused('version_mismatch'));
    const unaudited = { ...change(id, { name: 'Three' }), beforeCommit: () => Promise.reject(new Error('no audit')) };
    await expect(organizations.update(unaudited)).rejects.toThrow('no audit');
    await expect(organizations.get(id)).resolves.toMatchObject({ name: 'One', version: 2 });
  });

  it('lists by page, slug and state, and answers not_found for an unknown id', async () => {
    const made = await organizations.create(input(), nothing);
    await organizations.update(change(made.id, { state: 'suspended' as const }));
    const bySlug = await organizations.list({ limit: 10, slug: made.slug });
    expect(bySlug.map(({ id }) => id)).toEqual([made.id]);
    const suspended = await organizations.list({ limit: 10, state: 'suspended' });
    expect(suspended.map(({ id }) => id)).toContain(made.id);
    expect(await organizations.list({ limit: 1 })).toHaveLength(2); // one more: there is a page after
    await expect(organizations.get(newId())).rejects.toEqual(refused('not_found'));
  });
});
