/**
 * docker-compose.yml deployed without Docker: the Dockerfile's steps make the file systems of the images, and the services run in
 * them, contained as their containers would be, with the scripts and configuration files that are mounted. The steps that take
 * minutes are done with what the checkout has; `npm run image:try` does them from package-lock.json.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '#libs/testing';
import { Deployed, type ProcessService } from './deployed';
import { filesBelow, fromCheckout, productionPackages } from './image-tree';

const TARGETS = ['api', 'worker', 'metrics'] as const;
const PROCESSES: readonly ProcessService[] = ['api-1', 'worker-slow', 'metrics'];
/** What an image adds to that of Node. */
const LARGEST_IMAGE_BYTES = 130 * 1024 * 1024;
const ROOT = join(__dirname, '../..');
const fromLock = process.env['STOCKYARD_IMAGES'] === 'from-lock';

/** npm's own settings of this machine, for the steps that install. */
function npmEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^npm_config_registry$|_proxy$|CERT|CA_BUNDLE/i.test(name),
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']));
}

describe('docker-compose.yml, deployed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'stockyard-images-'));
  const print = (line: string) => process.stdout.write(`${line}\n`);

  const deployed = new Deployed({
    root: ROOT,
    directory,
    shortcut: fromLock ? undefined : fromCheckout(ROOT),
    environment: fromLock ? npmEnvironment() : {},
    print,
  });

  beforeAll(async () => {
    if (process.getuid?.() !== 0) throw new Error('Run this as root: it makes file systems whose files have owners.');
    await deployed.start();
  }, 600_000);

  afterAll(async () => {
    await deployed.end();
    rmSync(directory, { recursive: true, force: true });
  });

  const call = async <T>(
    path: string,
    token: string,
    init: { method?: string; body?: unknown; headers?: object } = {},
  ) => {
    const { method = 'GET', body, headers } = init;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`${deployed.url('api-1')}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: text }),
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
    return (answer.headers.get('content-type')?.includes('json') ? JSON.parse(said) : said) as T;
  };

  /** Of the tenant that one test makes. */
  let key: string;
  const available = async () => {
    const levels = await call<{ data: { available: number }[] }>('/v1/stock_levels?sku=MAT', key);
    return levels.data[0]!.available;
  };
  const takeFive = {
    method: 'POST',
    headers: { 'idempotency-key': 'after' },
    body: { currency: 'EUR', lines: [{ kind: 'goods', sku: 'MAT', quantity: 5 }] },
  };

  it.each(TARGETS)('makes an image of %s: nothing for development, nobody’s to change, not large', (target) => {
    const files = ['srv', 'usr/local/bin', 'var'].flatMap((below) => filesBelow(deployed.treeOf(target), below));
    const ours = files.filter(({ path }) => !/^usr\/local\/bin\/node$/.test(path));
    const packageOf = (path: string) => /^srv\/stockyard\/(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    const packages = new Set(ours.map(({ path }) => packageOf(path)).filter((path) => path !== undefined));
    const production = new Set(productionPackages(ROOT));
    expect([...packages].filter((path) => !production.has(path))).toEqual([]);
    expect(packages.size).toBeGreaterThan(100);
    const unwanted =
      /\.(map|d\.ts)$|dist\/.*spec\.js$|dist\/libs\/(testing|local-stack)\/|\/\.env|usr\/local\/bin\/(npm|yarn)/;
    expect(ours.filter(({ path }) => unwanted.test(path))).toEqual([]);
    const apps = new Set(ours.map(({ path }) => /dist\/apps\/(\w+)\//.exec(path)?.[1]));
    expect([...apps].filter((app) => app !== undefined)).toEqual([target]);
    const others = ours.filter(({ mode, uid }) => (mode & 0o044) !== 0o044 || (mode & 0o022) !== 0 || uid !== 0);
    expect(others).toEqual([]);
    const bytes = ours.reduce((sum, file) => sum + file.bytes, 0);
    print(`image ${target}: ${(bytes / 1024 / 1024).toFixed(1)} MiB in ${ours.length} files above node:slim`);
    expect(bytes).toBeLessThan(LARGEST_IMAGE_BYTES);
  });

  it('starts each process, ready by the check of its image, and all that they need', async () => {
    for (const name of PROCESSES) await deployed.ready(name);
    const health = await waitFor(
      async () => {
        const report = (await (await fetch(`${deployed.url('api-1')}/health`)).json()) as { status: string };
        return report.status === 'healthy' ? report : undefined;
      },
      { what: 'the api to be healthy', timeoutMs: 20_000 },
    );
    expect(health).toMatchObject({
      checks: { database: { status: 'ok' }, cache: { status: 'ok' }, queue: { status: 'ok' } },
    });
    const page = await fetch(`${deployed.url('metrics')}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  it('contains each as the compose file says: a user without rights, nothing to write to, no secret to be seen', () => {
    const running = deployed.running();
    expect(running.map(({ name }) => name)).toEqual(
      expect.arrayContaining([...PROCESSES, 'postgres', 'postgres-replica', 'pgbouncer', 'redis-queue', 'redis-cache']),
    );
    for (const { name, pid } of running) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const value = (key: string) => new RegExp(`^${key}:\\s+(\\S+)`, 'm').exec(status)![1];
      const none = '0000000000000000';
      expect([name, value('CapEff'), value('CapBnd'), value('NoNewPrivs')]).toEqual([name, none, none, '1']);
      expect([name, value('Uid')]).not.toEqual([name, '0']);
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n');
      const root = mounts.map((line) => line.split(' ')).find((fields) => fields[4] === '/')!;
      expect([name, root[5]!.split(',')[0]]).toEqual([name, 'ro']);
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      for (const secret of Object.values(deployed.secrets)) expect(command).not.toContain(secret);
    }
  });

  const streaming = () =>
    waitFor(() => deployed.query('postgres', 'select state from pg_stat_replication', 'postgres') === 'streaming', {
      what: 'the replica to stream',
    });

  it('streams to the replica, which keeps what it needs on the primary and takes no writes', async () => {
    await streaming();
    const slot = deployed.query(
      'postgres',
      'select slot_name, active, wal_status from pg_replication_slots',
      'postgres',
    );
    expect(slot).toBe('replica|t|reserved');
    expect(() => deployed.query('postgres-replica', 'create table x ()')).toThrow(/read-only/);
    const collation = deployed.query('postgres', "select datcollate from pg_database where datname = 'stockyard'");
    expect(collation).toMatch(/^C(\.UTF-?8)?$/i);
  });

  it('serves a tenant: made by the operator’s command, a file through the worker, an order through the poolers', async () => {
    const made = await deployed.operate(
      ...['tenant', 'create', '--slug', 'northwind', '--name', 'Northwind', '--tier', 'starter', '--json'],
    );
    const { id } = (JSON.parse(made) as { organization: { id: string } }).organization;
    const admin = deployed.secrets['ADMIN_TOKEN']!;
    const first = await call<{ key: string }>(`/v1/admin/organizations/${id}/api_keys`, admin, {
      method: 'POST',
      body: { name: 'first', role: 'owner' },
    });
    key = first.key;
    const imported = await call<{ id: string }>('/v1/imports', key, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', 'idempotency-key': 'stock' },
      body: 'sku,name,price,currency,on_hand\nMAT,Mat,24.90,EUR,120\nMUG,Mug,oops,EUR,60\n',
    });
    const job = await waitFor(
      async () => {
        const found = await call<{ state: string; finished_at: string | null }>(`/v1/jobs/${imported.id}`, key);
        return found.finished_at === null ? undefined : found;
      },
      { what: 'the import', timeoutMs: 30_000 },
    );
    expect(job.state).toBe('completed');
    // Written by the worker, read by the api: both have the volume.
    await expect(call<string>(`/v1/jobs/${imported.id}/report`, key)).resolves.toContain('invalid_price');
    const order = await call<{ state: string }>('/v1/orders', key, {
      method: 'POST',
      headers: { 'idempotency-key': 'order' },
      body: { currency: 'EUR', lines: [{ kind: 'goods', sku: 'MAT', quantity: 20 }] },
    });
    expect(order.state).toBe('allocated');
    await expect(available()).resolves.toBe(100);
    await expect(call('/v1/usage', key)).resolves.toMatchObject({ organization_id: id }); // by metrics, over Redis
  });

  it('reaches both servers through their poolers', async () => {
    const nodes = await waitFor(
      async () => {
        const text = await (await fetch(`${deployed.url('api-1')}/metrics`)).text();
        const up = [...text.matchAll(/^stockyard_node_up\{.*node="([^"]+)".*standby="(\w+)".*\} 1$/gm)];
        return up.length === 2 ? up.map(([, node, standby]) => [node, standby]) : undefined;
      },
      { what: 'both nodes to be up' },
    );
    expect(nodes).toEqual([
      [deployed.here('pgbouncer:6432'), 'false'],
      [deployed.here('pgbouncer-replica:6432'), 'true'],
    ]);
  });

  it('goes on with the replica promoted, and nothing started anew', async () => {
    await deployed.promoteReplica();
    const order = await waitFor(() => call<{ state: string }>('/v1/orders', key, takeFive), {
      what: 'an order to be taken again',
      timeoutMs: 20_000,
    });
    expect(order.state).toBe('allocated');
    await expect(available()).resolves.toBe(95);
  });

  it('ends by SIGTERM with status 0, before the compose file has it killed', async () => {
    for (const { name, status, seconds, grace } of await deployed.stopProcesses()) {
      expect([name, status]).toEqual([name, { code: 0, signal: null }]);
      expect(seconds).toBeLessThan(grace);
    }
  }, 60_000);

  it('takes the promoted volume for the primary’s, and copies a new replica from it', async () => {
    await deployed.rebuildAfterPromotion();
    expect(deployed.query('postgres', 'select pg_is_in_recovery()')).toBe('f');
    await streaming();
    expect(deployed.query('postgres-replica', 'select count(*) from orders')).toBe('2');
  }, 60_000);
});
