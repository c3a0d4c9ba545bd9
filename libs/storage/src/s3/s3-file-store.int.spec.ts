/** The object store as FileStore: the contract, and what only a network can do to it. */
import { Logger } from '@nestjs/common';
import { type AppConfig, loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { ObjectStore, waitFor, Way } from '#libs/testing';
import { StorageRefusedError } from '../file.error';
import { asTenant, bytes, fileStoreContract, holder, patterned, whole } from '../../test/file-store.contract';
import { S3FileStore } from './s3-file-store';

const MIB = 1_048_576;
const AMPLE = { maxBytes: 100 * MIB };
const UNAVAILABLE = { code: 'storage_unavailable', category: 'unavailable', retryAfterSeconds: 10 };
const SECRET = 'secret/of+specs';

let server: ObjectStore;
let way: Way;
const stores: S3FileStore[] = [];

const storeWith = (variables: Record<string, string> = {}): S3FileStore => {
  const config: AppConfig = loadConfig({
    ...server.variables(way.url),
    STORAGE_S3_PART_BYTES: String(5 * MIB),
    STORAGE_S3_TIMEOUT_MS: '500',
    ...variables,
  });
  const store = new S3FileStore(holder, config);
  stores.push(store);
  return store;
};

beforeEach(async () => {
  server = new ObjectStore();
  await server.start();
  way = new Way(server.url);
  await way.open();
});
afterEach(async () => {
  for (const store of stores.splice(0)) store.onApplicationShutdown();
  await way.cut();
  await server.stop();
});

const kept = () => [
  ...server.bucket.list('').map(({ key }) => key),
  ...server.bucket.listUploads('').map(({ id }) => id),
];

describe('S3FileStore', () => {
  let store: S3FileStore;
  beforeEach(() => {
    server.pageSize = 2; // so that every list has several pages
    store = storeWith({ STORAGE_S3_TIMEOUT_MS: '5000' });
  });
  fileStoreContract(() => ({
    store,
    kept,
    abandon: (organizationId, key) => {
      for (let copy = 0; copy < 5; copy += 1) server.bucket.begin(`${organizationId}/${key}`);
    },
  }));
});

describe('an object store that does not do as it should', () => {
  const mine = newId();
  const inMine = (work: () => Promise<void>) => () => asTenant(mine, work);
  const failure = (attempt: Promise<unknown>) =>
    attempt.then(
      () => undefined,
      (error: unknown) => error,
    );

  it(
    'is read and written at the pace of the slower side, parts and windows at a time',
    inMine(async () => {
      const store = storeWith({ STORAGE_S3_TIMEOUT_MS: '10000' });
      let released = (): void => undefined;
      const gate = new Promise<void>((resolve) => (released = resolve));
      server.interfere = async (call) => {
        if (call === 'UploadPart') await gate;
        return undefined;
      };
      let produced = 0;
      const counted = (async function* () {
        for await (const chunk of patterned(60 * MIB)) {
          produced += chunk.length;
          yield chunk;
        }
      })();
      const putting = store.put('a.csv', counted, AMPLE);
      let [before, same] = [-1, 0];
      await waitFor(
        () => {
          same = produced === before ? same + 1 : 0;
          before = produced;
          return Promise.resolve(produced > 0 && same > 5);
        },
        { what: 'the upload to stand still' },
      );
      expect(produced).toBeLessThanOrEqual(21 * MIB); // two parts under way, one that fills
      released();
      await putting;

      server.calls.length = 0;
      const stream = await store.open('a.csv');
      stream.read(1);
      const asked = () => server.calls.filter((call) => call === 'GetObject').length;
      await waitFor(() => Promise.resolve(asked() >= 1), { what: 'the first window' });
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(asked()).toBeLessThanOrEqual(2);
      stream.destroy();
    }),
  );

  it(
    'answers 503 when it is frozen, to every call, and holds nobody for long',
    inMine(async () => {
      const store = storeWith();
      await store.put('a.csv', bytes('there'), AMPLE);
      way.swallow();
      const list = async () => {
        for await (const file of store.list()) return file;
        return undefined;
      };
      const begun = performance.now();
      const attempts = [
        store.put('b.csv', bytes('x'), AMPLE),
        store.put('c.csv', patterned(20 * MIB), AMPLE),
        store.open('a.csv'),
        store.stat('a.csv'),
        store.delete('a.csv'),
        store.deleteAll(),
        store.removeAbandoned(0),
        list(),
        store.check(),
      ];
      for (const error of await Promise.all(attempts.map(failure))) expect(error).toMatchObject(UNAVAILABLE);
      expect(performance.now() - begun).toBeLessThan(8_000);
    }),
  );

  it(
    'answers 503 when it freezes or is cut in the middle of an upload, and keeps nothing of it',
    inMine(async () => {
      const store = storeWith();
      await store.put('a.csv', bytes('old'), AMPLE);
      const freeze = async () => way.swallow();
      const ends = [freeze, () => way.cut()];
      for (const [nth, end] of ends.entries()) {
        const torn = (async function* () {
          let sent = 0;
          for await (const chunk of patterned(30 * MIB)) {
            yield chunk;
            if ((sent += chunk.length) === 20 * MIB) await end();
          }
        })();
        expect(await failure(store.put('a.csv', torn, AMPLE))).toMatchObject(UNAVAILABLE);
        await way.cut();
        await way.open();
        expect((await whole(await store.open('a.csv'))).toString()).toBe('old');
        expect(server.bucket.listUploads('')).not.toEqual([]); // nobody could tell the store
        await store.removeAbandoned(0);
        expect([nth, kept()]).toEqual([nth, [`${mine}/a.csv`]]);
      }
    }),
  );

  it(
    'takes what breaks off and comes back for a hiccup',
    inMine(async () => {
      const store = storeWith({ STORAGE_S3_TIMEOUT_MS: '2000' });
      const broken = new Map<string, number>();
      server.interfere = (call) => {
        const times = broken.get(call) ?? 0;
        broken.set(call, times + 1);
        if (times > 0) return undefined;
        return call === 'GetObject' ? 'half' : { status: 503, body: '<Error><Code>SlowDown</Code></Error>' };
      };
      const { sha256 } = await store.put('a.csv', patterned(20 * MIB), AMPLE);
      const read = await store.open('a.csv');
      const again = await store.put('b.csv', read as AsyncIterable<Uint8Array>, AMPLE);
      expect(again).toEqual({ bytes: 20 * MIB, sha256 });
      expect([...broken.keys()].sort()).toEqual([
        'CompleteMultipartUpload',
        'CreateMultipartUpload',
        'GetObject',
        'UploadPart',
      ]);
    }),
  );

  it(
    'never mixes two files that had the same key',
    inMine(async () => {
      const store = storeWith();
      await store.put('a.csv', patterned(12 * MIB), AMPLE);
      const stream = await store.open('a.csv');
      await store.put('a.csv', bytes('another'), AMPLE);
      expect(await failure(whole(stream))).toMatchObject(UNAVAILABLE);
    }),
  );

  it(
    'is told to forget an upload of which the last step failed',
    inMine(async () => {
      const store = storeWith();
      server.interfere = (call) =>
        call === 'CompleteMultipartUpload'
          ? { status: 500, body: '<Error><Code>InternalError</Code></Error>' }
          : undefined;
      expect(await failure(store.put('a.csv', patterned(12 * MIB), AMPLE))).toMatchObject(UNAVAILABLE);
      expect(kept()).toEqual([]);
    }),
  );

  it(
    'takes no file of more parts than there may be',
    inMine(async () => {
      const store = storeWith();
      const beyond = (async function* () {
        yield { byteLength: 50_000 * MIB + 1 } as Uint8Array; // refused before anyone looks into it
      })();
      const error = await failure(store.put('a.csv', beyond, { maxBytes: Number.MAX_SAFE_INTEGER }));
      expect(error).toMatchObject({ code: 'file_too_large', details: { max_bytes: 50_000 * MIB } });
    }),
  );

  it.each([
    ['STORAGE_S3_ACCESS_KEY_ID', 'AKIDUNKNOWN', 'STORAGE_S3_ACCESS_KEY_ID'],
    ['STORAGE_S3_SECRET_ACCESS_KEY', 'another-secret', 'STORAGE_S3_SECRET_ACCESS_KEY'],
    ['STORAGE_S3_REGION', 'mars-north-1', 'STORAGE_S3_REGION'],
    ['STORAGE_S3_BUCKET', 'no-such-bucket', 'STORAGE_S3_BUCKET'],
  ])('ends the boot when %s is wrong, and says what to check', async (variable, value, named) => {
    const store = storeWith({ [variable]: value });
    const error = (await failure(store.onModuleInit())) as Error;
    expect(error.message).toContain(named);
    expect(error.message).not.toMatch(new RegExp(`${value}|${SECRET}`));
    await expect(store.check()).rejects.toBeInstanceOf(StorageRefusedError);
    const refused = await failure(asTenant(mine, () => store.put('a.csv', bytes('x'), AMPLE)));
    expect(refused).toMatchObject(UNAVAILABLE);
    expect((refused as Error).message).not.toMatch(/STORAGE_S3/); // that is for operators
  });

  it('ends the boot when it may be read but not written', async () => {
    server.interfere = (call) =>
      call === 'PutObject' ? { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' } : undefined;
    await expect(storeWith().onModuleInit()).rejects.toThrow(/rights.*STORAGE_S3_BUCKET/);
  });

  it('does not end the boot when it is away, and serves once it is back', async () => {
    const store = storeWith();
    await way.cut();
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    await store.onModuleInit();
    expect(warn.mock.calls).toEqual([[expect.anything(), expect.stringContaining('does not answer')]]);
    warn.mockRestore();
    await expect(store.check()).rejects.toMatchObject(UNAVAILABLE);
    await way.open();
    await expect(store.check()).resolves.toBeUndefined();
    await store.onModuleInit();
    expect(kept()).toEqual(['stockyard-probe']);
  });
});

describe('a presigned link', () => {
  const mine = newId();
  const options = { filename: 'stock "2030".csv', contentType: 'text/csv; charset=utf-8' };
  const linked = async (variables: Record<string, string> = {}) => {
    const store = storeWith(variables);
    return asTenant(mine, async () => {
      await store.put('exports/a.csv', bytes('sku\nA\n'), AMPLE);
      return (await store.link('exports/a.csv', options)).url;
    });
  };

  it('serves this one file, under its name, to whoever has it', async () => {
    const url = await linked();
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, 'sku\nA\n']);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="stock__2030_.csv"');
    const forged = [
      url.replace('exports/a.csv', 'exports/b.csv'),
      url.replace(mine, newId()),
      url.replace('X-Amz-Expires=900', 'X-Amz-Expires=9000'),
      url.replace('text%2Fcsv', 'text%2Fhtml'),
      url.replace(/X-Amz-Signature=./, 'X-Amz-Signature=z'),
    ];
    for (const address of forged) expect([address, (await fetch(address)).status]).toEqual([address, 403]);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect(url).not.toContain(SECRET);
  });

  it('ends', async () => {
    const url = await linked({ FILE_LINK_TTL_SECONDS: '1' });
    await waitFor(async () => (await fetch(url)).status === 403, { what: 'the link to end' });
  });

  it('leads to the address that clients use', async () => {
    const url = new URL(await linked({ STORAGE_S3_LINK_ENDPOINT: 'https://files.example.com' }));
    expect(url.origin).toBe('https://files.example.com');
    const virtual = { STORAGE_S3_PATH_STYLE: 'off', STORAGE_S3_LINK_ENDPOINT: 'https://files.example.com' };
    const store = storeWith(virtual);
    const { url: address } = await asTenant(mine, () => store.link('a.csv', options));
    expect(new URL(address).host).toBe('stockyard-files.files.example.com');
  });
});
