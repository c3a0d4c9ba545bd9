/** What every FileStore does, whatever keeps the files. Each implementation's spec runs it. */
import { newId, sha256Hex } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { ClsServiceManager } from 'nestjs-cls';
import type { FileStore } from '../src';

export const holder = new TenantContextHolder(ClsServiceManager.getClsService());

export interface StoreUnderTest {
  readonly store: FileStore;
  /** Names of whatever is kept, of every tenant, unfinished uploads too. */
  kept(): readonly string[];
  /** Makes unfinished uploads of this tenant, as a process that died leaves them. */
  abandon(organizationId: string, key: string): Promise<void> | void;
}

export const asTenant = <T>(id: string, work: () => Promise<T>): Promise<T> =>
  holder.run(
    { organizationId: id, actor: { type: 'system', id: null }, permissions: new Set(), requestId: 'test' },
    work,
  );

export async function* bytes(...parts: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

/** `length` bytes that never repeat themselves within a window or part, so that any mix-up shows. */
export async function* patterned(length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; at += CHUNK) {
    const chunk = Buffer.alloc(Math.min(CHUNK, length - at));
    for (let offset = 0; offset + 4 <= chunk.length; offset += 4) chunk.writeUInt32LE((at + offset) / 4, offset);
    yield chunk;
  }
}
const CHUNK = 65_536;

export async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const AMPLE = { maxBytes: 100_000_000 };
const LARGE = 20_000_000; // several parts, several windows

export function fileStoreContract(underTest: () => StoreUnderTest): void {
  const mine = newId();
  const put = (key: string, ...parts: readonly string[]) => underTest().store.put(key, bytes(...parts), AMPLE);
  const read = async (key: string, range?: { start: number; end?: number }) =>
    (await whole(await underTest().store.open(key, range))).toString();
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of underTest().store.list()) found.push(key);
    return found.sort();
  };
  const inMine = (work: () => Promise<void>) => () => asTenant(mine, work);

  it(
    'gives back what was put, with its size and digest',
    inMine(async () => {
      const before = Date.now();
      const stored = await put('imports/a.csv', 'hello, ', 'world');
      expect(stored).toEqual({ bytes: 12, sha256: sha256Hex('hello, world') });
      expect(await read('imports/a.csv')).toBe('hello, world');
      const stat = (await underTest().store.stat('imports/a.csv'))!;
      expect(stat.bytes).toBe(12);
      expect(Math.abs(stat.modifiedAt.getTime() - before)).toBeLessThan(10_000);
    }),
  );

  it(
    'keeps an empty file',
    inMine(async () => {
      expect(await underTest().store.put('empty.csv', bytes(), AMPLE)).toEqual({ bytes: 0, sha256: sha256Hex('') });
      expect(await read('empty.csv')).toBe('');
      expect(await underTest().store.stat('empty.csv')).toMatchObject({ bytes: 0 });
    }),
  );

  it(
    'reads ranges, to the end without an end, and nothing behind it',
    inMine(async () => {
      await put('a.csv', '0123456789');
      expect(await read('a.csv', { start: 7, end: 8 })).toBe('78');
      expect(await read('a.csv', { start: 7 })).toBe('789');
      expect(await read('a.csv', { start: 9, end: 100 })).toBe('9');
      expect(await read('a.csv', { start: 0, end: 0 })).toBe('0');
      expect(await read('a.csv', { start: 10 })).toBe('');
    }),
  );

  it(
    'gives back a large file, whole and in part, byte for byte',
    inMine(async () => {
      const original = await whole(patterned(LARGE));
      const stored = await underTest().store.put('large.ndjson', patterned(LARGE), AMPLE);
      expect(stored).toEqual({ bytes: LARGE, sha256: sha256Hex(original) });
      expect(sha256Hex(await whole(await underTest().store.open('large.ndjson')))).toBe(stored.sha256);
      const [start, end] = [4_000_001, 13_000_000];
      const part = await whole(await underTest().store.open('large.ndjson', { start, end }));
      expect(part.equals(original.subarray(start, end + 1))).toBe(true);
    }),
  );

  it.each([
    ['of one chunk', 5],
    ['of many parts', LARGE - 1],
  ])('refuses a file %s that is too large, and keeps nothing of it', (_, maxBytes) =>
    asTenant(mine, async () => {
      const content = maxBytes === 5 ? bytes('12345', '6') : patterned(LARGE);
      const attempt = underTest().store.put('imports/a.csv', content, { maxBytes });
      await expect(attempt).rejects.toMatchObject({ code: 'file_too_large', category: 'too_large' });
      expect(await underTest().store.stat('imports/a.csv')).toBeUndefined();
      expect(underTest().kept()).toEqual([]);
    }),
  );

  it(
    'takes a file of exactly the limit',
    inMine(async () => {
      await expect(underTest().store.put('a.csv', bytes('12345'), { maxBytes: 5 })).resolves.toMatchObject({
        bytes: 5,
      });
    }),
  );

  it.each([10, LARGE])('keeps the old file, and nothing new, when replacing it breaks off after %i bytes', (length) =>
    asTenant(mine, async () => {
      await put('a.csv', 'old');
      const before = underTest().kept();
      let ended = false;
      const broken = (async function* () {
        try {
          yield* patterned(length);
          throw new Error('client went away');
        } finally {
          ended = true;
        }
      })();
      await expect(underTest().store.put('a.csv', broken, AMPLE)).rejects.toThrow('client went away');
      expect(ended).toBe(true);
      expect(await read('a.csv')).toBe('old');
      expect(underTest().kept()).toEqual(before);
    }),
  );

  it(
    'replaces a file',
    inMine(async () => {
      await put('a.csv', 'older and longer');
      await put('a.csv', 'new');
      expect(await read('a.csv')).toBe('new');
    }),
  );

  it(
    'reads content in the tenant’s context, to the last chunk',
    inMine(async () => {
      const seen = new Set<string>();
      const content = (async function* () {
        for await (const chunk of patterned(LARGE)) {
          seen.add(holder.current().organizationId);
          yield chunk;
        }
      })();
      await underTest().store.put('a.csv', content, AMPLE);
      expect([...seen]).toEqual([mine]);
    }),
  );

  it('does not show one tenant the files of another', async () => {
    await asTenant(mine, () => put('a.csv', 'mine'));
    await asTenant(newId(), async () => {
      expect(await underTest().store.stat('a.csv')).toBeUndefined();
      await expect(underTest().store.open('a.csv')).rejects.toMatchObject({ code: 'file_not_found' });
      await underTest().store.delete('a.csv');
      expect(await underTest().store.deleteAll()).toBe(0);
      expect(await keys()).toEqual([]);
      for (const key of [`../${mine}/a.csv`, `${mine}/../${mine}/a.csv`]) {
        for (const attempt of [
          async () => underTest().store.open(key),
          async () => underTest().store.stat(key),
          async () => underTest().store.delete(key),
          async () => underTest().store.put(key, bytes('x'), AMPLE),
        ]) {
          await expect(attempt()).rejects.toMatchObject({ code: 'invalid_file_key' });
        }
      }
    });
    await asTenant(mine, async () => expect(await read('a.csv')).toBe('mine'));
  });

  it('is not to be used without a tenant', async () => {
    const attempt = async () => underTest().store.put('a.csv', bytes('x'), AMPLE);
    await expect(attempt()).rejects.toMatchObject({ code: 'tenant_context_missing' });
  });

  it(
    'deletes what is there and does not mind what is not',
    inMine(async () => {
      await put('a.csv', 'x');
      await underTest().store.delete('a.csv');
      await underTest().store.delete('a.csv');
      expect(await underTest().store.stat('a.csv')).toBeUndefined();
      await expect(underTest().store.open('a.csv')).rejects.toMatchObject({ code: 'file_not_found' });
    }),
  );

  it('lists the files of the tenant, and deletes a folder or all of them', async () => {
    await asTenant(newId(), () => put('a.csv', 'theirs'));
    const theirs = underTest().kept();
    await asTenant(mine, async () => {
      expect(await underTest().store.deleteAll()).toBe(0);
      const all = ['a.csv', 'operations/1/a.json', 'operations/1/b.json', 'operations/12.json', 'operations/2.tgz'];
      for (const key of all) await put(key, 'mine');
      expect(await keys()).toEqual(all);
      expect(await underTest().store.deleteAll('operations/1')).toBe(2);
      expect(await keys()).toEqual(['a.csv', 'operations/12.json', 'operations/2.tgz']);
      await underTest().abandon(mine, 'operations/3.tgz');
      expect(await underTest().store.deleteAll()).toBe(3);
      expect(await keys()).toEqual([]);
    });
    expect(underTest().kept()).toEqual(theirs);
  });

  it('removes what broken uploads of the tenant left, once nobody has written to it for long', async () => {
    const other = newId();
    await underTest().abandon(other, 'imports/a.csv');
    const theirs = underTest().kept();
    await underTest().abandon(mine, 'imports/a.csv');
    await asTenant(mine, async () => {
      await put('imports/b.csv', 'stays');
      await underTest().store.removeAbandoned(3_600_000);
      expect(underTest().kept()).toHaveLength(2 * theirs.length + 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      await underTest().store.removeAbandoned(1);
      expect(await keys()).toEqual(['imports/b.csv']);
      expect(await underTest().store.deleteAll()).toBe(1);
    });
    expect(underTest().kept()).toEqual(theirs);
  });

  it(
    'makes links that end when they say, of its own files alone',
    inMine(async () => {
      const options = { filename: 'b.csv', contentType: 'text/csv' };
      const begun = Date.now();
      const { url, expiresAt } = await underTest().store.link('a.csv', options);
      const lifeMs = expiresAt.getTime() - begun;
      expect(lifeMs).toBeGreaterThan(898_000);
      expect(lifeMs).toBeLessThan(901_000);
      expect(new URL(url, 'http://api/').protocol).toBe('http:');
      const foreign = async () => underTest().store.link(`../${newId()}/a.csv`, options);
      await expect(foreign()).rejects.toMatchObject({ code: 'invalid_file_key' });
    }),
  );

  it('says that it can be written to', async () => {
    await expect(underTest().store.check()).resolves.toBeUndefined();
  });
}
