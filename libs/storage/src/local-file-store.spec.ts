import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, sha256Hex } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { ClsServiceManager } from 'nestjs-cls';
import fc from 'fast-check';
import { tenantPath } from './file-key';
import { LocalFileStore } from './local-file-store';

const organizationId = newId();
const holder = new TenantContextHolder(ClsServiceManager.getClsService());
let root: string;
let store: LocalFileStore;

const asTenant = <T>(id: string, work: () => Promise<T>): Promise<T> =>
  holder.run(
    { organizationId: id, actor: { type: 'system', id: null }, permissions: new Set(), requestId: 'test' },
    work,
  );

async function* bytes(...parts: string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += chunk.toString();
  return all;
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stockyard-store-'));
  store = new LocalFileStore(holder, { STORAGE_DIR: root });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('LocalFileStore', () => {
  it('gives back what was put, with its size and digest', async () => {
    await asTenant(organizationId, async () => {
      const stored = await store.put('imports/a.csv', bytes('hello, ', 'world'), { maxBytes: 100 });
      expect(stored).toEqual({ bytes: 12, sha256: sha256Hex('hello, world') });
      expect(await text(await store.open('imports/a.csv'))).toBe('hello, world');
      expect(await text(await store.open('imports/a.csv', { start: 7, end: 9 }))).toBe('wor');
      expect(await store.stat('imports/a.csv')).toMatchObject({ bytes: 12 });
    });
  });

  it('refuses more than the limit and leaves nothing behind', async () => {
    await asTenant(organizationId, async () => {
      const put = store.put('imports/a.csv', bytes('12345', '6'), { maxBytes: 5 });
      await expect(put).rejects.toMatchObject({ code: 'file_too_large', category: 'too_large' });
      expect(await store.stat('imports/a.csv')).toBeUndefined();
    });
    expect(readdirSync(join(root, organizationId, 'imports'))).toEqual([]);
  });

  it('keeps the old file when replacing it breaks off', async () => {
    await asTenant(organizationId, async () => {
      await store.put('a.csv', bytes('old'), { maxBytes: 100 });
      const broken = (async function* () {
        yield Buffer.from('ne');
        throw new Error('client went away');
      })();
      await expect(store.put('a.csv', broken, { maxBytes: 100 })).rejects.toThrow('client went away');
      expect(await text(await store.open('a.csv'))).toBe('old');
    });
  });

  it('does not show one tenant the files of another', async () => {
    await asTenant(organizationId, () => store.put('a.csv', bytes('mine'), { maxBytes: 100 }));
    await asTenant(newId(), async () => {
      expect(await store.stat('a.csv')).toBeUndefined();
      await expect(store.open('a.csv')).rejects.toMatchObject({ code: 'file_not_found' });
    });
  });

  it('is not to be used without a tenant', async () => {
    await expect(store.put('a.csv', bytes('x'), { maxBytes: 1 })).rejects.toMatchObject({
      code: 'tenant_context_missing',
    });
  });

  it('deletes what is there and does not mind what is not', async () => {
    await asTenant(organizationId, async () => {
      await store.put('a.csv', bytes('x'), { maxBytes: 1 });
      await store.delete('a.csv');
      await store.delete('a.csv');
      expect(await store.stat('a.csv')).toBeUndefined();
      await store.removeAbandoned(0);
    });
    await expect(store.check()).resolves.toBeUndefined();
  });

  it('lists the files of the tenant, and deletes a folder or all of them', async () => {
    await asTenant(newId(), () => store.put('a.csv', bytes('theirs'), { maxBytes: 100 }));
    await asTenant(organizationId, async () => {
      expect(await store.deleteAll()).toBe(0);
      for (const key of ['a.csv', 'operations/1/a.json', 'operations/1/b.json', 'operations/2.tgz'])
        await store.put(key, bytes('mine'), { maxBytes: 100, confidential: key.endsWith('tgz') });
      const keys = async () => {
        const found: string[] = [];
        for await (const { key } of store.list()) found.push(key);
        return found.sort();
      };
      expect(await keys()).toEqual(['a.csv', 'operations/1/a.json', 'operations/1/b.json', 'operations/2.tgz']);
      expect(statSync(join(root, organizationId, 'operations/2.tgz')).mode & 0o777).toBe(0o600);
      expect(await store.deleteAll('operations/1')).toBe(2);
      expect(await keys()).toEqual(['a.csv', 'operations/2.tgz']);
      expect(await store.deleteAll()).toBe(2);
      expect(await keys()).toEqual([]);
    });
    expect(readdirSync(root)).toHaveLength(1); // the other tenant's
  });

  it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', '.hidden', 'a\\b', 'a/.', 'A', '', 'a\0b', 'a/b.csv/..'])(
    'refuses the key %j',
    (key) => {
      expect(() => tenantPath(organizationId, key)).toThrow(expect.objectContaining({ code: 'invalid_file_key' }));
    },
  );

  it('never leaves the directory of the tenant, whatever the key', () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        let path: string;
        try {
          path = tenantPath(organizationId, key);
        } catch {
          return;
        }
        expect(join('/root', path).startsWith(`/root/${organizationId}/`)).toBe(true);
      }),
    );
  });
});
