import { Test } from '@nestjs/testing';
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { Directory } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, platformModules, waitFor, Way } from '#libs/testing';

describe('DatabaseDirectory', () => {
  it('tells who answered: its primary, or a replica while that is away', async () => {
    const env = await createTestEnvironment();
    const way = new Way(env.variables.DATABASE_URL!);
    await way.open();
    const config = loadConfig({ ...env.variables, DATABASE_URL: way.url });
    const app = await Test.createTestingModule({ imports: platformModules(config) }).compile();
    try {
      await app.init();
      const directory = app.get(Directory);
      const { id, slug } = await createOrganization(env);
      const isFresh = async () => {
        directory.forget(id);
        return (await directory.locate(id))?.fresh;
      };
      expect(await isFresh()).toBe(true);
      await expect(directory.findBySlug(slug)).resolves.toMatchObject({ id });
      await expect(directory.find(newId())).resolves.toBeUndefined();

      const late = await createOrganization(env); // not in memory: only a replica can tell
      await way.cut();
      const found = async () => (await directory.locate(late.id))?.fresh === false;
      await waitFor(found, { what: 'a replica to answer' });
      expect(await isFresh()).toBe(false);
      await way.open();
      await waitFor(async () => (await isFresh()) === true, { what: 'the primary to answer' });
    } finally {
      await app.close();
      await way.cut();
      await env.dispose();
    }
  });
});
