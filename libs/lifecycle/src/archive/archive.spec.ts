import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { newId, sha256Hex, StockyardError } from '#libs/kernel';
import type { TenantTable } from '#libs/database';
import fc from 'fast-check';
import { idAt } from '../../test/id-at';
import { checkArchive } from '../import/archive-check';
import { readManifestOf, walkArchive } from './archive-reader';
import { writeArchive } from './archive-writer';
import { ARCHIVE_FORMAT, ARCHIVE_VERSION, type Manifest, tableFile } from './manifest';
import { splitStream } from './split-stream';

const tenant = newId();
const NOW = new Date('2026-11-25T08:00:00Z');
const column = (name: string, type = 'text') => ({ name, type });
const TABLES: readonly TenantTable[] = [
  {
    name: 'products',
    columns: [column('organization_id', 'uuid'), column('id', 'uuid'), column('name')],
    primaryKey: ['organization_id', 'id'],
    partitionColumn: null,
  },
  {
    name: 'audit_log',
    columns: [column('organization_id', 'uuid'), column('id', 'uuid')],
    primaryKey: ['organization_id', 'id'],
    partitionColumn: { ...column('id', 'uuid'), unit: 'month' as const },
  },
];
const target = { schema: 'Newest1', tables: TABLES, tenant };

interface Content {
  readonly products: readonly object[];
  readonly audit_log: readonly object[];
  readonly files: Readonly<Record<string, string>>;
}

const content: Content = {
  products: Array.from({ length: 30 }, (_, n) => ({ organization_id: tenant, id: newId(), name: `line\u2028 ${n} ü` })),
  audit_log: [
    { organization_id: tenant, id: idAt(Date.UTC(2021, 0, 31, 23, 59, 59)) },
    { organization_id: tenant, id: idAt(Date.UTC(2026, 10, 1)) },
  ],
  files: { 'imports/a.csv': 'a,b\n1,2\n', 'imports/empty.csv': '' },
};

function manifestOf(all: Content, texts: ReadonlyMap<string, string>): Manifest {
  const facts = (file: string) => ({
    file,
    bytes: Buffer.byteLength(texts.get(file)!),
    sha256: sha256Hex(texts.get(file)!),
  });
  return {
    format: ARCHIVE_FORMAT,
    version: ARCHIVE_VERSION,
    schema: 'Newest1',
    created_at: NOW.toISOString(),
    organization: {
      ...{ id: tenant, slug: 'acme', name: 'Acme', tier: 'free', region: 'default', state: 'active' },
      ...{ epoch: 1, version: 1, created_at: NOW.toISOString(), limits: null },
    },
    tables: TABLES.map(({ name, columns }) => ({
      name,
      columns: columns.map((one) => one.name),
      rows: all[name as 'products'].length,
      ...facts(tableFile(name)),
    })),
    files: Object.keys(all.files).map((key) => ({ key, ...facts(`files/${key}`) })),
  };
}

/** An archive whose digests are right, whatever `change` makes of its manifest and `order` of its entries. */
async function archive(
  all: Content = content,
  change: (manifest: Manifest) => object = (manifest) => manifest,
  order: (names: string[]) => string[] = (names) => names,
): Promise<Buffer> {
  const texts = new Map<string, string>();
  for (const { name } of TABLES)
    texts.set(tableFile(name), all[name as 'products'].map((row) => `${JSON.stringify(row)}\n`).join(''));
  for (const [key, text] of Object.entries(all.files)) texts.set(`files/${key}`, text);
  texts.set('manifest.json', JSON.stringify(change(manifestOf(all, texts))));
  const names = order(['manifest.json', ...[...texts.keys()].filter((name) => name !== 'manifest.json')]);
  const entries = names.map((name) => {
    const text = Buffer.from(texts.get(name)!);
    return { name, bytes: text.length, open: () => Promise.resolve(Readable.from(text.length > 0 ? [text] : [])) };
  });
  return Buffer.concat((await writeArchive(entries, NOW).toArray()) as Buffer[]);
}

const stream = (bytes: Buffer, size = 100): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })(),
  );
const check = (bytes: Buffer) => checkArchive(stream(bytes), target, new AbortController().signal);
const refused = (code: string, file?: string): unknown =>
  expect.objectContaining({
    code,
    ...(file === undefined ? {} : { details: expect.objectContaining({ file }) as unknown }),
  });

/** Everything that a walk delivers. */
async function delivered(bytes: Buffer): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  const collect = async ({ file }: { file: string }, parts: AsyncIterable<Buffer | string>) => {
    all[file] = '';
    for await (const part of parts) all[file] += typeof part === 'string' ? `${part}\n` : part.toString();
  };
  await walkArchive(stream(bytes), { table: collect, file: collect });
  return all;
}

describe('An archive', () => {
  it('gives back what was put in, and tells the months of its rows', async () => {
    const bytes = await archive();
    const { manifest, months } = await check(bytes);
    expect(manifest.organization).toMatchObject({ id: tenant, slug: 'acme' });
    expect(months).toEqual({ audit_log: ['2021-01-01', '2026-11-01'] });
    const all = await delivered(bytes);
    expect(all['tables/products.ndjson']).toBe(content.products.map((row) => `${JSON.stringify(row)}\n`).join(''));
    expect(all['files/imports/a.csv']).toBe('a,b\n1,2\n');
    expect(all['files/imports/empty.csv']).toBe('');
  });

  it('is refused, or whole, whichever bit is wrong', async () => {
    const bytes = await archive();
    const whole = await delivered(bytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= 1 << bit;
        try {
          expect(await delivered(damaged)).toEqual(whole);
        } catch (error) {
          if (!(error instanceof StockyardError)) throw error;
          expect(['archive_damaged', 'archive_incompatible']).toContain(error.code);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is refused wherever it is cut off', async () => {
    const bytes = await archive();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 9), async (length) => {
        await expect(delivered(bytes.subarray(0, length))).rejects.toEqual(refused('archive_damaged'));
      }),
      { numRuns: 100 },
    );
    await expect(delivered(Buffer.from('no archive at all'))).rejects.toEqual(
      refused('archive_damaged', 'manifest.json'),
    );
  });

  it('names the file that is missing, out of place or not what the manifest says', async () => {
    const without = await archive(content, undefined, (names) => names.filter((name) => !name.includes('a.csv')));
    await expect(check(without)).rejects.toEqual(refused('archive_damaged', 'files/imports/a.csv'));
    const short = await archive(content, undefined, (names) => names.slice(0, -1));
    await expect(check(short)).rejects.toEqual(refused('archive_damaged', 'files/imports/empty.csv'));
    const late = await archive(content, undefined, (names) => names.toReversed());
    await expect(check(late)).rejects.toEqual(refused('archive_damaged', 'manifest.json'));
    const fewer = await archive(content, (manifest) => ({
      ...manifest,
      tables: manifest.tables.map((table) => ({ ...table, rows: table.rows + 1 })),
    }));
    await expect(check(fewer)).rejects.toEqual(refused('archive_damaged', 'tables/products.ndjson'));
  });

  it('is refused when it was made by another format or under another schema', async () => {
    for (const change of [{ format: 'something-else' }, { version: 2 }, { schema: 'Older1' }]) {
      const other = await archive(content, (manifest) => ({ ...manifest, ...change }));
      await expect(check(other)).rejects.toEqual(refused('archive_incompatible'));
    }
    const columns = await archive(content, (manifest) => ({
      ...manifest,
      tables: manifest.tables.map((table) => ({ ...table, columns: [...table.columns, 'more'] })),
    }));
    await expect(check(columns)).rejects.toEqual(refused('archive_incompatible'));
  });

  it('is refused when a row is another organization’s, or no row', async () => {
    const foreign = {
      ...content,
      products: [...content.products, { organization_id: newId(), id: newId(), name: 'x' }],
    };
    await expect(check(await archive(foreign))).rejects.toEqual(refused('archive_foreign', 'tables/products.ndjson'));
    const strange = { ...content, products: [{ organization_id: tenant }] };
    await expect(check(await archive(strange))).rejects.toEqual(refused('archive_damaged', 'tables/products.ndjson'));
    const timeless = { ...content, audit_log: [{ organization_id: tenant, id: 'never' }] };
    await expect(check(await archive(timeless))).rejects.toEqual(refused('archive_damaged', 'tables/audit_log.ndjson'));
  });

  describe('that unpacks to far more than was sent', () => {
    const MIB = 1024 * 1024;
    const NEVER_MIB = 192;

    const header = (name: string, size: number, type = '0'): Buffer => {
      const block = Buffer.alloc(512);
      block.write(name, 0);
      block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
      block.write(type, 156);
      block.write('ustar\x0000', 257);
      block.fill(' ', 148, 156);
      const sum = block.reduce((total, byte) => total + byte, 0);
      block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      return block;
    };
    const entry = (name: string, text: string): Buffer =>
      Buffer.concat([header(name, text.length), Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)]);
    const manifest = (bytes = 0) => {
      const { tables, ...rest } = manifestOf(
        { ...content, files: {} },
        new Map(TABLES.map(({ name }) => [tableFile(name), ''])),
      );
      return entry('manifest.json', JSON.stringify({ ...rest, tables: tables.map((table) => ({ ...table, bytes })) }));
    };

    /** Checks what `start` begins and a lot of `filling` goes on with; tells how much of that was unpacked. */
    async function explode(start: readonly Buffer[], filling: Buffer): Promise<{ error: unknown; mib: number }> {
      let mib = 0;
      async function* unpacked(): AsyncGenerator<Buffer> {
        yield* start;
        for (; mib < NEVER_MIB; mib += 1) yield filling;
      }
      const archived = Readable.from(unpacked(), { objectMode: false }).pipe(createGzip({ level: 1 }));
      const error: unknown = await checkArchive(archived, target, new AbortController().signal).catch(
        (failure: unknown) => failure,
      );
      return { error, mib };
    }

    const SIZE = NEVER_MIB * MIB;
    const as = Buffer.alloc(MIB, 'a');
    const zeros = Buffer.alloc(MIB);
    it.each([
      ['a manifest', 'manifest.json', [header('manifest.json', SIZE)], as],
      ['a line', 'a line of tables/products.ndjson', [manifest(SIZE), header('tables/products.ndjson', SIZE)], as],
      ['an extended header', 'headers of the archive', [manifest(), header('pax', SIZE, 'x')], as],
      ['a global header', 'headers of the archive', [header('pax', SIZE, 'g')], as],
      ['a long name', 'headers of the archive', [manifest(), header('name', SIZE, 'L')], as],
      ['nothing', 'headers of the archive', [manifest()], zeros],
    ])('is refused before much of it is unpacked: %s without end', async (_, what, start, filling) => {
      const { error, mib } = await explode(start, filling);
      expect(error).toMatchObject({ code: 'archive_too_large', category: 'unprocessable', details: { what } });
      expect((error as Error).message).toMatch(/may have \d+ bytes/);
      expect(mib).toBeLessThan(64); // what stands in buffers of gzip comes on top
    });

    it('is refused where an entry is longer than the manifest says', async () => {
      const { error, mib } = await explode([manifest(10), header('tables/products.ndjson', SIZE)], as);
      expect(error).toEqual(refused('archive_damaged', 'tables/products.ndjson'));
      expect(mib).toBeLessThan(64);
    });

    it('is no long name that an honest archive has', async () => {
      const key = `${'ü'.repeat(150)}/${'n'.repeat(90)}.csv`;
      const bytes = await archive({ ...content, files: { [key]: 'x' } });
      await expect(check(bytes)).resolves.toBeDefined();
    });
  });

  it('is passed on whole after a look at its manifest, of which little is kept', async () => {
    const random = Array.from({ length: 20_000 }, () => ({ organization_id: tenant, id: newId(), name: newId() }));
    const bytes = await archive({ ...content, products: random });
    let read = 0;
    async function* source(): AsyncGenerator<Buffer> {
      for await (const chunk of stream(bytes, 512) as AsyncIterable<Buffer>) {
        read += chunk.length;
        yield chunk;
      }
    }
    const split = splitStream(source());
    await expect(readManifestOf(split.head())).resolves.toMatchObject({ organization: { id: tenant } });
    expect(read).toBeLessThan(bytes.length / 2);
    const parts: Uint8Array[] = [];
    for await (const part of split.whole()) parts.push(part);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  });
});
