import { UserCreation, UserService, type UserUpdate } from '#libs/identity';
import { newId } from '#libs/kernel';
import type { TestOrganization } from '#libs/testing';
import { IdentityApp, outcomes, PASSWORD, refused } from './identity-app';

describe('users', () => {
  let app: IdentityApp;
  let shop: TestOrganization;

  beforeAll(async () => {
    app = await IdentityApp.start();
    shop = await app.organization();
  });

  afterAll(() => app.close());

  const update = (organization: TestOrganization, change: Omit<UserUpdate, 'expectedVersion'>, version?: number) =>
    app.as(organization, () => app.get(UserService).update({ ...change, expectedVersion: version }));
  const remove = (organization: TestOrganization, id: string) =>
    app.as(organization, () => app.get(UserService).remove(id, undefined));

  it('are added, listed page by page, read, changed and deleted, each change in the audit log', async () => {
    const own = await app.organization();
    const added = [await app.addUser(own), await app.addUser(own), await app.addUser(own)];
    const listed = await app.as(own, () => app.get(UserService).list({ limit: 2 }));
    expect(listed.map(({ id }) => id)).toEqual(added.map(({ id }) => id)); // one more than the limit: there is a page after
    const changed = await update(own, { id: added[0]!.id, patch: { name: 'New Name', role: 'operator' } });
    expect(changed).toMatchObject({ name: 'New Name', role: 'operator', version: 2 });
    await remove(own, added[1]!.id);
    await expect(app.as(own, () => app.get(UserService).get(added[1]!.id))).rejects.toEqual(refused('not_found'));
    expect((await app.auditedActions(own)).slice(3)).toEqual(['user.updated', 'user.deleted']);
  });

  it('refuse a change on top of a version that is not the newest', async () => {
    const user = await app.addUser(shop);
    await update(shop, { id: user.id, patch: { name: 'One' } }, 1);
    await expect(update(shop, { id: user.id, patch: { name: 'Two' } }, 1)).rejects.toEqual(refused('version_mismatch'));
  });

  it('cannot share an e-mail address within an organization, but across two they can', async () => {
    const [other, email] = [await app.organization(), `${newId()}@example.com`];
    await app.addUser(shop, { email });
    await expect(app.addUser(shop, { email: email.toUpperCase() })).rejects.toEqual(refused('email_taken'));
    await expect(app.addUser(other, { email })).resolves.toMatchObject({ email });
  });

  it('stay within max_users when many are added at once', async () => {
    const small = await app.organization({ maxUsers: 3 });
    const creation = app.get(UserCreation);
    const names = Array.from({ length: 12 }, (_, number) => `user-${number}`);
    const prepared = await Promise.all(
      names.map((name) => creation.prepare({ email: `${name}@example.com`, name, role: 'viewer', password: PASSWORD })),
    );
    const attempts = await Promise.allSettled(prepared.map((user) => app.as(small, () => creation.add(user))));
    expect(outcomes(attempts)).toEqual({ ok: 3, limit_exceeded: 9 });
    const refusal = attempts.find((attempt) => attempt.status === 'rejected');
    expect(refusal?.reason).toMatchObject({
      category: 'forbidden',
      details: { limit: 'max_users', maximum: 3, requested: 4 },
    });
  });

  it('take one free place once, whoever of 20 at once gets it, by the limit of this moment', async () => {
    const small = await app.organization({ maxUsers: 1 });
    const creation = app.get(UserCreation);
    await app.addUser(small);
    await app.env.query('update tenant_limits set max_users = 2 where organization_id = $1', [small.id]);
    const { passwordHash } = await creation.prepare({
      email: 'x@example.com',
      name: 'X',
      role: 'viewer',
      password: PASSWORD,
    });
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, (_, number) => {
        const user = { id: newId(), email: `u${number}@example.com`, name: 'U', role: 'viewer', passwordHash } as const;
        return app.as(small, () => creation.add(user));
      }),
    );
    expect(outcomes(attempts)).toEqual({ ok: 1, limit_exceeded: 19 });
    expect(await app.as(small, () => app.get(UserService).list({ limit: 100 }))).toHaveLength(2);
  });

  it('always include an owner: of two owners that give up at once, one may not', async () => {
    for (let round = 0; round < 5; round += 1) {
      const own = await app.organization();
      const owners = await Promise.all([app.addUser(own, { role: 'owner' }), app.addUser(own, { role: 'owner' })]);
      const attempts = await Promise.allSettled([
        update(own, { id: owners[0].id, patch: { role: 'viewer' } }),
        round % 2 === 0 ? remove(own, owners[1].id) : update(own, { id: owners[1].id, patch: { state: 'disabled' } }),
      ]);
      expect(outcomes(attempts)).toEqual({ ok: 1, last_owner: 1 });
    }
  });

  it('keep the last owner from being demoted, disabled and deleted, but not from being renamed', async () => {
    const own = await app.organization();
    const { id } = await app.addUser(own, { role: 'owner' });
    await app.addUser(own, { role: 'admin' });
    await expect(update(own, { id, patch: { role: 'admin' } })).rejects.toEqual(refused('last_owner'));
    await expect(update(own, { id, patch: { state: 'disabled' } })).rejects.toEqual(refused('last_owner'));
    await expect(remove(own, id)).rejects.toEqual(refused('last_owner'));
    await expect(update(own, { id, patch: { name: 'Still Owner' } })).resolves.toMatchObject({ role: 'owner' });
  });

  it('cannot be made or managed by a caller who holds less than they do', async () => {
    const owner = await app.addUser(shop, { role: 'owner' });
    const narrow = { permissions: new Set(['users:read', 'users:write']) };
    const users = app.get(UserService);
    const patch = { password: 'taken over by someone' };
    await expect(
      app.as(shop, () => users.update({ id: owner.id, patch, expectedVersion: undefined }), narrow),
    ).rejects.toEqual(refused('permission_denied'));
    await expect(app.as(shop, () => users.remove(owner.id, undefined), narrow)).rejects.toEqual(
      refused('permission_denied'),
    );
  });

  it('of another organization are as unknown as those that never were', async () => {
    const [other, user] = [await app.organization(), await app.addUser(shop)];
    const users = app.get(UserService);
    const answers = await Promise.all(
      [user.id, newId()].map((id) => app.as(other, () => users.get(id)).catch((error: unknown) => String(error))),
    );
    expect(answers[0]).toBe(answers[1]);
    await expect(update(other, { id: user.id, patch: { name: 'x' } })).rejects.toEqual(refused('not_found'));
    await expect(remove(other, user.id)).rejects.toEqual(refused('not_found'));
  });
});
