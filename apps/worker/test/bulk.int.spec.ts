import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { BULK_EXPORT, type ExportRequest } from '#libs/bulk';
import { JobService } from '#libs/queues';
import { FileStore } from '#libs/storage';
import {
  createOrganization,
  createTestEnvironment,
  type TestEnvironment,
  type TestOrganization,
  waitFor,
} from '#libs/testing';
import { parse } from 'csv-parse/sync';
import { createWorker } from '../src/create-worker';
import {
  asTenant,
  expectedStock,
  finishedJob,
  goodFile,
  HEADER,
  line,
  lineErrors,
  queueImport,
  sku,
  stock,
} from './import-fixture';

describe('Bulk jobs in the worker', () => {
  let env: TestEnvironment;
  let app: NestFastifyApplication;
  let organization: TestOrganization;

  const importing = async (text: string) => finishedJob(env, (await queueImport(app, organization.id, text)).id);

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50' });
    app = await createWorker(env.config);
  });
  afterAll(async () => {
    await app.close();
    await env.dispose();
  });
  beforeEach(async () => {
    organization = await createOrganization(env);
  });

  describe('import', () => {
    it('takes every good line in, and again without doubling anything', async () => {
      const text = goodFile(1_200);
      expect(await importing(text)).toMatchObject({
        state: 'completed',
        result: { lines: 1_200, failed: 0 },
        processed: '1200',
        total: '1200',
      });
      expect(await stock(env, organization.id)).toEqual(expectedStock(1_200));

      expect(await importing(text)).toMatchObject({ state: 'completed', result: { lines: 1_200, failed: 0 } });
      expect(await stock(env, organization.id)).toEqual(expectedStock(1_200));
    });

    it('charges its tenant for the time it took', async () => {
      await importing(goodFile(200));
      const [usage] = await waitFor(
        async () => {
          const rows = await env.query<{ value: string }>(
            "select value from tenant_usage where organization_id = $1 and metric = 'job_milliseconds'",
            [organization.id],
          );
          return rows.length > 0 && rows;
        },
        { what: 'the usage to be written' },
      );
      expect(Number(usage!.value)).toBeGreaterThan(0);
    });

    it('reports the broken lines by number and takes in the rest', async () => {
      const broken = [
        'x"y',
        ',No SKU,,1,GBP,,1',
        '"open',
        'A,B',
        'S,N,,1,GBP,,-1',
        'S,N,,abc,GBP,,1',
        'S,N,,1,GBP,NOWHERE,1',
      ];
      const lines = goodFile(1_500).split('\n');
      const expected: [number, string][] = [];
      const codes = [
        'malformed_line',
        'missing_sku',
        'unclosed_quote',
        'column_count',
        'invalid_quantity',
        'invalid_price',
        'unknown_location',
      ];
      for (let index = 50; index < lines.length; index += 100) {
        const kind = expected.length % broken.length;
        lines[index] = broken[kind]!;
        expected.push([index + 1, codes[kind]!]);
      }
      const job = await importing(lines.join('\r\n'));
      expect((await lineErrors(env, job.id)).map((error) => [error.line, error.code])).toEqual(expected);
      expect(job).toMatchObject({ state: 'completed', result: { lines: 1_500, failed: 15 }, failed: '15' });
      const levels = await stock(env, organization.id);
      expect(levels).toHaveLength(1_485);
      expect(levels.every((level) => level.on_hand === level.moved)).toBe(true);
    });

    it('lets the last line win where a product and location stand twice, also across chunks', async () => {
      const text = [
        HEADER,
        'A,Old,,1.00,GBP,,5',
        ...Array.from({ length: 600 }, (_, i) => line(i)),
        'A,New,,,,MAIN,9',
        'A,,,,,,7',
      ];
      expect(await importing(text.join('\n'))).toMatchObject({ state: 'completed', result: { failed: 0 } });
      const [level] = await stock(env, organization.id);
      expect(level).toMatchObject({ sku: 'A', on_hand: 7, moved: 7 });
      const [product] = await env.query('select name, price_minor::int from products where sku = $1', ['A']);
      expect(product).toEqual({ name: 'New', price_minor: 100 });
    });

    it('leaves a count out that stock in use forbids, and says which', async () => {
      await importing(goodFile(3));
      await env.query(
        `update stock_levels set available = 0, allocated = 2
         where product_id = (select id from products where organization_id = $1 and sku = $2)`,
        [organization.id, sku(2)],
      );
      const job = await importing([HEADER, `${sku(1)},,,,,,50`, `${sku(2)},,,,,,1`].join('\n'));
      expect(job).toMatchObject({ state: 'completed', result: { lines: 2, failed: 1 }, failed: '1' });
      expect(await lineErrors(env, job.id)).toEqual([{ line: 3, code: 'count_below_committed', field: 'on_hand' }]);
      expect(await stock(env, organization.id)).toMatchObject([{}, { on_hand: 50 }, { on_hand: 2 }]);
    });

    it('needs name and currency for a new product only', async () => {
      await importing([HEADER, 'OLD,Old,Kept,1.00,GBP,,1'].join('\n'));
      const job = await importing(['sku,on_hand,price', 'OLD,4,2.5', 'NEW,4,'].join('\n'));
      expect(await lineErrors(env, job.id)).toEqual([{ line: 3, code: 'missing_name', field: 'name' }]);
      expect(await env.query('select name, description, price_minor::int, currency from products')).toContainEqual({
        name: 'Old',
        description: 'Kept',
        price_minor: 250,
        currency: 'GBP',
      });
    });

    it.each([
      ['an unknown column', 'sku,colour\nA,red'],
      ['no sku column', 'name\nA'],
      ['nothing', ''],
    ])('fails with a clear error for %s', async (_, text) => {
      const job = await importing(text);
      expect(job).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'invalid_csv_header' } });
      expect(await stock(env, organization.id)).toEqual([]);
    });
  });

  describe('export', () => {
    const exporting = async (payload: ExportRequest) => {
      const create = () => app.get(JobService).create({ definition: BULK_EXPORT, payload });
      const job = await finishedJob(env, (await asTenant(app, organization.id, create)).id);
      expect(job).toMatchObject({ state: 'completed', error: null });
      const text = await asTenant(app, organization.id, async () => {
        const parts: Buffer[] = [];
        for await (const part of await app.get(FileStore).open(`exports/${job.id}.${payload.format}`))
          parts.push(part as Buffer);
        return Buffer.concat(parts).toString();
      });
      return { job, text };
    };

    it('writes every row of every resource, the same in both formats', async () => {
      await importing(
        [HEADER, ...Array.from({ length: 1_300 }, (_, i) => line(i)), '"Q""1","a, b","x\ny",1,GBP,,3'].join('\n'),
      );
      for (const resource of ['products', 'stock_levels', 'stock_movements', 'orders', 'order_lines'] as const) {
        const ndjson = await exporting({ resource, format: 'ndjson' });
        const csv = await exporting({ resource, format: 'csv' });
        const objects = ndjson.text
          .split('\n')
          .filter(Boolean)
          .map((text) => JSON.parse(text) as Record<string, string | number | null>);
        const records = parse<Record<string, string>>(csv.text, { columns: true });
        const text = (value: string | number | null) => String(value ?? '');
        expect(records).toEqual(
          objects.map((object) => Object.fromEntries(Object.entries(object).map(([k, v]) => [k, text(v)]))),
        );
        const counted = await env.query<{ n: number }>(
          `select count(*)::int as n from ${resource} where organization_id = $1`,
          [organization.id],
        );
        expect(objects).toHaveLength(counted[0]!.n);
        expect(ndjson.job.result).toMatchObject({ resource, format: 'ndjson', rows: objects.length });
      }
      const { text } = await exporting({ resource: 'products', format: 'csv' });
      expect(text).toContain('"Q""1","a, b","x\ny"');
    });

    it('shows nothing of another organization', async () => {
      await importing(goodFile(5));
      organization = await createOrganization(env);
      expect((await exporting({ resource: 'products', format: 'ndjson' })).text).toBe('');
    });

    it('runs while the organization is suspended, when imports wait', async () => {
      await env.query("update organizations set state = 'suspended' where id = $1", [organization.id]);
      expect((await exporting({ resource: 'orders', format: 'csv' })).job.state).toBe('completed');
    });
  });
});
