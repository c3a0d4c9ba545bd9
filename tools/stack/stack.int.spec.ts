/** `npm start` as a person uses it: it comes up, keeps its data, replays a file without losing a unit, and leaves nothing. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { isAlive, identifyProcess, type ProcessIdentity, waitFor } from '#libs/local-stack';

interface Stack {
  readonly api_url: string;
  readonly worker_url: string;
  readonly metrics_url: string;
  readonly database_url: string;
  readonly replica_urls: string[];
  readonly redis_url: string;
  readonly admin_token: string;
  readonly organizations: { id: string; slug: string; api_key: string }[];
  readonly shards: { name: string; database_url: string; replica_urls: string[] }[];
  readonly processes: Record<string, number>;
}

interface Running {
  readonly child: ChildProcess;
  readonly stack: Stack;
  output(): string;
}

/** Environment of a person's shell: nothing of the specs' own servers. */
function shell(directory: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(DATABASE_|REDIS_|STOCKYARD_|NODE_ENV|JEST_|LOG_LEVEL)/.test(name),
  );
  const ports = { API_PORT: '0', WORKER_PORT: '0', METRICS_PORT: '0' };
  return { ...Object.fromEntries(inherited), ...ports, STOCKYARD_DIR: directory, ...more };
}

async function start(directory: string, args: readonly string[] = []): Promise<Running> {
  const child = spawn(process.execPath, ['tools/start.mjs', ...args], {
    env: shell(directory),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const file = join(directory, 'stack.json');
  await waitFor(() => output.includes('curl -s') || child.exitCode !== null, { what: 'the stack', timeoutMs: 90_000 });
  if (child.exitCode !== null) throw new Error(output);
  return { child, stack: JSON.parse(readFileSync(file, 'utf8')) as Stack, output: () => output };
}

/** Every process below one, found by its parent. */
function descendants(pid: number): ProcessIdentity[] {
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid).flatMap((child) => identifyProcess(child) ?? []);
}

async function stop({ child }: Running): Promise<void> {
  const processes = descendants(child.pid!);
  expect(processes.length).toBeGreaterThan(5);
  child.kill('SIGINT');
  await once(child, 'exit');
  await waitFor(() => !processes.some(isAlive), { what: 'every process to be gone' });
}

const get = async (url: string, token?: string) => {
  const response = await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: (await response.json()) as { data: { sku: string }[] } };
};

async function rows(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function makeProduct({ api_url, organizations }: Stack, organization: number, sku: string): Promise<number> {
  const response = await fetch(`${api_url}/v1/products`, {
    method: 'POST',
    headers: { authorization: `Bearer ${organizations[organization]!.api_key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ sku, name: sku, price_minor: 100, currency: 'EUR' }),
  });
  await response.body?.cancel();
  return response.status;
}

describe('npm start', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stockyard-start-'));
    rmSync(directory, { recursive: true }); // it is made by the stack itself
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('comes up whole, keeps its data for a second start, and leaves no process behind', async () => {
    const first = await start(directory);
    const { stack } = first;
    for (const url of [stack.api_url, stack.worker_url, stack.metrics_url]) {
      expect((await fetch(`${url}/ready`)).status).toBe(200);
    }
    expect(statSync(join(directory, 'stack.json')).mode & 0o777).toBe(0o600);
    expect(stack.replica_urls).toHaveLength(1);
    expect(stack.organizations.map(({ slug }) => slug)).toEqual(['acme', 'globex']);
    const curl = /curl -s .*/.exec(first.output())![0];
    const pasted = spawnSync('sh', ['-c', curl], { encoding: 'utf8' });
    expect((JSON.parse(pasted.stdout) as { data: unknown[] }).data.length).toBeGreaterThan(0);
    const [acme, globex] = stack.organizations;
    const mine = await get(`${stack.api_url}/v1/products`, acme!.api_key);
    expect((await get(`${stack.api_url}/v1/products`, globex!.api_key)).body.data).toEqual([]);
    await stop(first);
    expect(existsSync(join(directory, 'stack.json'))).toBe(false);

    const second = await start(directory);
    expect(second.stack.organizations).toEqual(stack.organizations);
    expect((await get(`${second.stack.api_url}/v1/products`, acme!.api_key)).body).toEqual(mine.body);
    await stop(second);

    const fresh = await start(directory, ['--fresh']);
    expect(fresh.stack.organizations[0]!.id).not.toBe(acme!.id);
    await stop(fresh);
  }, 240_000);

  it('starts two shards, goes on after a promotion by hand, and knows the new primary at its next start', async () => {
    const first = await start(directory, ['--shards', '2']);
    const { stack } = first;
    expect(stack.shards.map(({ name, replica_urls }) => [name, replica_urls.length])).toEqual([
      ['main', 1],
      ['two', 1],
    ]);
    expect([stack.shards[0]!.database_url, stack.shards[0]!.replica_urls]).toEqual([
      stack.database_url,
      stack.replica_urls,
    ]);
    for (const { database_url } of stack.shards) {
      expect(first.output()).toContain(new URL(database_url).host);
      const lives = "select tenant as id from tenant_places where state = 'open'";
      expect(await rows(database_url, lives)).toHaveLength(1);
    }
    const spread = 'select shard, count(*)::int as buckets from shard_buckets group by shard order by shard';
    expect(await rows(stack.database_url, spread)).toEqual([
      { shard: 'main', buckets: 512 },
      { shard: 'two', buckets: 512 },
    ]);

    process.kill(stack.processes['postgres-two']!, 'SIGKILL');
    await rows(stack.shards[1]!.replica_urls[0]!, 'select pg_promote()');
    await waitFor(async () => (await makeProduct(stack, 1, 'AFTER')) === 201, {
      what: 'writes to go on at the promoted server',
      timeoutMs: 30_000,
    });
    expect(await makeProduct(stack, 0, 'ELSEWHERE')).toBe(201);
    expect(first.output()).toContain('postgres-two ended by SIGKILL: the stack goes on without it');
    await stop(first);

    const fewer = spawnSync(process.execPath, ['tools/start.mjs', '--shards', '1'], {
      env: shell(directory),
      encoding: 'utf8',
    });
    expect([fewer.status, fewer.stderr.trim().split('\n')]).toEqual([
      1,
      [expect.stringContaining('has 2 shards: use --shards 2 or more')],
    ]);

    const second = await start(directory);
    const [, two] = second.stack.shards;
    expect(two!.database_url).toBe(stack.shards[1]!.replica_urls[0]);
    const { body } = await get(`${second.stack.api_url}/v1/products`, second.stack.organizations[1]!.api_key);
    expect(body.data.map(({ sku }) => sku)).toEqual(['AFTER']);
    await stop(second);
  }, 240_000);

  it('replays a file without losing a unit, also when stock is scarce', async () => {
    const running = await start(directory);
    try {
      const file = join(directory, 'sales.csv');
      const lines = ['InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'];
      for (let invoice = 0; invoice < 60; invoice += 1) {
        const country = invoice % 3 === 0 ? 'France' : 'United Kingdom';
        const prefix = invoice % 10 === 9 ? 'C' : '';
        const sign = invoice % 10 >= 8 ? -1 : 1;
        for (let line = 0; line < 8; line += 1) {
          const code = 10_000 + ((invoice * 5 + line * 3) % 17);
          const at = `2010-12-01 ${String(8 + Math.floor(invoice / 10)).padStart(2, '0')}:${String((invoice % 10) * 5).padStart(2, '0')}:00`;
          lines.push(
            `${prefix}${536_000 + invoice},${code}a,THING ${code},${sign * ((line % 4) + 1)},${at},${line}.255,17850.0,${country}`,
          );
        }
        if (sign === 1) lines.push(`${536_000 + invoice},POST,POSTAGE,1,2010-12-01 08:00:00,18.0,17850.0,${country}`);
      }
      writeFileSync(file, `${lines.join('\n')}\n`);
      for (const [scarcity, short] of [
        ['1', false],
        ['0.7', true],
      ] as const) {
        const replayed = spawnSync(process.execPath, ['tools/replay.mjs', file, '--json', '--scarcity', scarcity], {
          env: shell(directory),
          encoding: 'utf8',
        });
        const summary = JSON.parse(replayed.stdout) as Record<string, number>;
        expect([replayed.stderr, replayed.status, summary]).toEqual([
          expect.any(String),
          0,
          expect.objectContaining({ organizations: 2, mismatches: 0, lines: lines.length - 1 }),
        ]);
        expect(summary.refused! > 0).toBe(short);
      }
    } finally {
      await stop(running);
    }
  }, 240_000);

  it('names a port in use and its variable in one line, before anything starts', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      const { status, stderr } = spawnSync(process.execPath, ['tools/start.mjs'], {
        env: shell(directory, { METRICS_PORT: String(port) }),
        encoding: 'utf8',
      });
      expect([status, stderr.trim().split('\n')]).toEqual([
        1,
        [expect.stringMatching(new RegExp(`Port ${port}.*METRICS_PORT`))],
      ]);
    } finally {
      server.close();
    }
  });

  it('names a REDIS_URL that nobody answers in one line without its password, before anything starts', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/start.mjs'], {
      env: shell(directory, { REDIS_URL: `redis://me:hidden@127.0.0.1:${port}` }),
      encoding: 'utf8',
    });
    expect([status, stderr.trim().split('\n')]).toEqual([
      1,
      [expect.stringMatching(new RegExp(`REDIS_URL: .*127.0.0.1:${port} does not answer \\(ECONNREFUSED\\)`))],
    ]);
    expect(stdout + stderr).not.toContain('hidden');
  });
});
