/**
 * `npm run drills [-- PAGE…]`: runs the commands of docs/operations on a stack of its own (two shards, each with a replica), in the
 * pages' order, and shows what they say. `--write` puts that into the pages. Ends with status 1 at the first command that fails. Needs
 * curl, jq and psql. Backups have a drill of their own, with an archive (backup.topology-spec.ts).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { OwnedProcess, StopWaiting, waitFor, withLogTail } from '#libs/local-stack';
import { withOutput } from './blocks';
import { PageShell } from './page-shell';

const ROOT = resolve(__dirname, '..', '..', '..');
const PAGES = ['shards', 'disasters'];
const START_MS = 300_000;

interface StackFile {
  readonly api_url: string;
  readonly admin_token: string;
  readonly organizations: readonly { readonly id: string; readonly api_key: string; readonly shard?: string }[];
}

/** Functions of the pages: what they stand for in a checkout. */
const FUNCTIONS = {
  stockyard: '() { node dist/tools/cli/main.js "$@" --stack "$STACK"; }',
  migrate: '() { node dist/tools/migrate/main.js "$@"; }',
  places: '() { node dist/tools/places/main.js "$@"; }',
};

const stateOf = (directory: string): string => join(directory, 'state');

async function startStack(directory: string): Promise<OwnedProcess> {
  const logFile = join(directory, 'stack.log');
  const stack = await OwnedProcess.start({
    name: 'stack',
    command: process.execPath,
    args: [join(ROOT, 'dist/tools/stack/main.js'), '--shards', '2'],
    cwd: ROOT,
    env: { ...process.env, STOCKYARD_DIR: stateOf(directory), API_PORT: '0', WORKER_PORT: '0', METRICS_PORT: '0' },
    logFile,
    pidFile: join(directory, 'stack.pid.json'),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 60_000,
  });
  const stackFile = join(stateOf(directory), 'stack.json');
  await waitFor(
    () => {
      if (!stack.running) throw new StopWaiting(withLogTail('The stack did not start', logFile));
      return readFileSync(stackFile, 'utf8') !== '';
    },
    { what: 'the stack', timeoutMs: START_MS, intervalMs: 500 },
  );
  return stack;
}

function environment(directory: string): Record<string, string> {
  const file = join(stateOf(directory), 'stack.json');
  const stack = JSON.parse(readFileSync(file, 'utf8')) as StackFile;
  const secrets = JSON.parse(readFileSync(join(stateOf(directory), 'secrets.json'), 'utf8')) as Record<string, string>;
  const [tenant] = stack.organizations;
  const functions = Object.entries(FUNCTIONS).map(([name, body]) => [`BASH_FUNC_${name}%%`, body] as const);
  return {
    ...Object.fromEntries(functions),
    ...migrateVariables(file, secrets),
    PATH: [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter),
    STACK: file,
    API: stack.api_url,
    ADMIN: `Authorization: Bearer ${stack.admin_token}`,
    KEY: `Authorization: Bearer ${tenant!.api_key}`,
    TENANT: tenant!.id,
  };
}

/** As `npm start` gives them to `migrate`. */
function migrateVariables(file: string, secrets: Readonly<Record<string, string>>): Record<string, string> {
  const { shards } = JSON.parse(readFileSync(file, 'utf8')) as {
    shards: readonly { name: string; database_url: string; replica_urls: readonly string[] }[];
  };
  const hosts = ({ database_url: url, replica_urls: replicas }: (typeof shards)[number]): string => {
    const others = replicas.map((replica) => `,${new URL(replica).host}`).join('');
    return url.replace(/(@[^/]+)/, `$1${others}`);
  };
  const [home, ...others] = shards;
  return {
    DATABASE_URL: hosts(home!),
    DATABASE_SHARDS: JSON.stringify(Object.fromEntries(others.map((one) => [one.name, { url: hosts(one) }]))),
    ...Object.fromEntries(Object.entries(secrets).filter(([name]) => name.startsWith('DATABASE_'))),
  };
}

async function main(args: readonly string[]): Promise<void> {
  const write = args.includes('--write');
  const named = args.filter((argument) => argument !== '--write');
  const unknown = named.find((name) => !PAGES.includes(name));
  if (unknown !== undefined) throw new TypeError(`There is no page "${unknown}": ${PAGES.join(', ')}.`);
  const directory = mkdtempSync(join(tmpdir(), 'stockyard-drills-'));
  let stack: OwnedProcess | undefined;
  try {
    process.stderr.write('Starting a stack with two shards …\n');
    stack = await startStack(directory);
    const env = environment(directory);
    for (const name of named.length > 0 ? named : PAGES) {
      const page = join(ROOT, 'docs/operations', `${name}.md`);
      const shell = new PageShell({ page, env, cwd: ROOT });
      for (const block of shell.names) {
        process.stdout.write(`\n${name}: ${block}\n`);
        const output = await shell.run(block);
        process.stdout.write(output);
        if (write) writeFileSync(page, withOutput(readFileSync(page, 'utf8'), block, output));
      }
    }
  } finally {
    await stack?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`drills: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
