import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { asTenant, bytes, fileStoreContract, holder } from '../test/file-store.contract';
import { SealedFileLinks } from './link/sealed-file-links';
import { LocalFileStore } from './local-file-store';

let root: string;
let store: LocalFileStore;

const filesBelowRoot = (): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stockyard-store-'));
  store = new LocalFileStore(holder, loadConfig({ STORAGE_DIR: root }));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('LocalFileStore', () => {
  fileStoreContract(() => ({
    store,
    kept: filesBelowRoot,
    abandon: (organizationId, key) => {
      const path = join(root, organizationId, `${key}.0123456789ab.partial`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'half of a fi');
    },
  }));

  it('keeps what is confidential from other users of the machine', async () => {
    const organizationId = newId();
    await asTenant(organizationId, async () => {
      await store.put('operations/2.tgz', bytes('hashes'), { maxBytes: 100, confidential: true });
    });
    expect(statSync(join(root, organizationId, 'operations/2.tgz')).mode & 0o777).toBe(0o600);
  });

  it('seals its links for the api to serve', async () => {
    const organizationId = newId();
    const options = { filename: 'b.csv', contentType: 'text/csv' };
    const { url, expiresAt } = await asTenant(organizationId, () => store.link('a.csv', options));
    const links = new SealedFileLinks({ secret: loadConfig({}).MESSAGING_SECRET });
    const sealed = url.replace(/^v1\/files\//, '');
    expect(links.open(sealed)).toEqual({ organizationId, key: 'a.csv', ...options });
    expect(() => links.open(sealed, expiresAt.getTime())).toThrow('expired');
  });

  it('says that it cannot be written to', async () => {
    rmSync(root, { recursive: true });
    writeFileSync(root, 'no directory');
    await expect(store.check()).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
