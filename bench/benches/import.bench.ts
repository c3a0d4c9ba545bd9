/**
 * Memory of an import: the most that the api takes while a file is uploaded to it and the worker while it takes the file in, in
 * megabytes of resident memory (VmHWM of /proc, so Linux only), against the 300 MB that they may take. `rate` is not measured: how
 * long it took is printed. The file has 64 MB, or as many as STOCKYARD_BENCH_IMPORT_MB says (`1024` for a gigabyte, which takes some
 * minutes); its lines have descriptions of up to 4,000 characters, 500 in the mean, and every product is counted. Every
 * round after the first imports one megabyte more.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { createOrganization, type TestEnvironment } from '#libs/testing';
import { newId } from '#libs/kernel';
import type { Bench, Comparison, Contestant } from '../harness/bench';
import { type PlatformProcess, startApiProcess, startWorkerProcess } from '../harness/platform-process';
import { startBenchServers } from '../harness/servers';

const MB = 1_000_000;
const DEFAULT_MB = 64;
const ALLOWED_MB = 300;
/** As in a container of 512 MiB: without a limit V8 lets garbage lie while the machine has memory. */
const FLAGS = ['--max-old-space-size=192', '--max-semi-space-size=8'];
const WORDS =
  'heart holder lantern white metal hanging bottle water knitted union flag hot red woolly nesting boxes star'.split(
    ' ',
  );

function* lines(bytes: number): Generator<string> {
  let made = 'sku,name,description,price,currency,location,on_hand\n';
  yield made;
  let left = bytes - made.length;
  for (let n = 0; left > 0; n += 1) {
    const length = n % 20 === 0 ? 4_000 : 300;
    let description = '';
    for (let word = n; description.length < length; word += 1) description += `${WORDS[word % WORDS.length]!}, `;
    made = `B-${n},Product ${n},"${description}",${(n % 900) + 1}.50,GBP,,${n % 1_000}\n`;
    left -= made.length;
    yield made;
  }
}

/** In pieces as a socket has them. */
function* pieces(bytes: number): Generator<string> {
  let piece = '';
  for (const line of lines(bytes)) {
    piece += line;
    if (piece.length < 65_536) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

interface Made {
  readonly id: string;
}

class Imports {
  private constructor(
    private readonly api: PlatformProcess,
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  static async open(environment: TestEnvironment, api: PlatformProcess): Promise<Imports> {
    const { id } = await createOrganization(environment);
    const admin = { authorization: `Bearer ${environment.config.ADMIN_TOKEN}`, 'content-type': 'application/json' };
    const limits = { max_storage_bytes: 10_000 * MB, requests_per_minute: 1_000_000, bulk_per_hour: 10_000 };
    await fetch(`${api.url}/v1/admin/organizations/${id}/limits`, {
      method: 'PUT',
      headers: admin,
      body: JSON.stringify(limits),
    });
    const url = `${api.url}/v1/admin/organizations/${id}/api_keys`;
    const made = await fetch(url, { method: 'POST', headers: admin, body: '{"name":"bench","role":"owner"}' });
    const { key } = (await made.json()) as { key: string };
    return new Imports(api, { authorization: `Bearer ${key}` });
  }

  /** Uploads so many bytes, and resolves when they have been taken in. */
  async run(bytes: number): Promise<void> {
    const { id } = await this.upload(bytes);
    for (;;) {
      const job = await fetch(`${this.api.url}/v1/jobs/${id}`, { headers: this.headers });
      const { state, result } = (await job.json()) as { state: string; result: { failed: number } | null };
      if (state === 'completed' && result?.failed === 0) return;
      if (['failed', 'cancelled', 'completed'].includes(state))
        throw new Error(`The import is ${state}: ${JSON.stringify(result)}`);
      await pause(500);
    }
  }

  private upload(bytes: number): Promise<Made> {
    return new Promise((resolve, reject) => {
      const headers = { ...this.headers, 'content-type': 'text/csv', 'idempotency-key': newId() };
      const outgoing = request(`${this.api.url}/v1/imports`, { method: 'POST', headers }, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => {
          if (answer.statusCode === 202) resolve(JSON.parse(text) as Made);
          else reject(new Error(`The upload was answered ${answer.statusCode}: ${text}`));
        });
      });
      outgoing.on('error', reject);
      Readable.from(pieces(bytes)).pipe(outgoing);
    });
  }
}

/** Megabytes that a process has taken at most. */
function mostMemory(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kilobytes) * 1_024) / MB;
}

export const IMPORT_BENCH: Bench = {
  name: 'import',
  about: 'memory of api and worker while a large file is imported, against 300 MB.',
  async *compare(): AsyncGenerator<Comparison> {
    await using opened = new AsyncDisposableStack();
    const servers = await startBenchServers({ durable: false });
    opened.defer(() => servers.close());
    const api = await startApiProcess(servers.environment, FLAGS);
    opened.defer(() => api.stop());
    const worker = await startWorkerProcess(servers.environment, FLAGS);
    opened.defer(() => worker.stop());
    const imports = await Imports.open(servers.environment, api);
    let bytes = Number(process.env.STOCKYARD_BENCH_IMPORT_MB ?? DEFAULT_MB) * MB;
    const memory = (name: string, { pid }: PlatformProcess): Contestant => ({
      name,
      run: async () => {
        const began = performance.now();
        await imports.run(bytes);
        const seconds = (performance.now() - began) / 1_000;
        if (bytes > MB) process.stderr.write(`  ${bytes / MB} MB were taken in within ${seconds.toFixed(1)} s.\n`);
        bytes = MB;
        return mostMemory(pid);
      },
    });
    const allowed: Contestant = { name: 'allowed', run: () => Promise.resolve(ALLOWED_MB) };
    yield { name: 'import_worker', measures: 'own', subject: memory('mb', worker), reference: allowed };
    yield { name: 'import_api', measures: 'own', subject: memory('mb', api), reference: allowed };
  },
};
