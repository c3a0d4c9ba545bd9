/** The command line: which command, on what, over which connection. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type JobsCommand, jobsCommand, JOBS_OPTIONS } from './jobs-options';
import { UsageError } from './usage';

export type Command =
  | {
      readonly name: 'create';
      readonly organization: { slug: string; name: string; tier?: string | undefined; region?: string | undefined };
    }
  | { readonly name: 'show' | 'suspend' | 'resume' | 'rollback'; readonly tenant: string }
  | { readonly name: 'delete'; readonly tenant: string; readonly movedTo: string | undefined }
  | { readonly name: 'export'; readonly tenant: string; readonly out: string | undefined }
  | { readonly name: 'import'; readonly file: string; readonly slug: string | undefined }
  | { readonly name: 'move'; readonly tenant: string; readonly shard: string }
  | { readonly name: 'reconcile'; readonly tenant: string; readonly repair: boolean }
  | JobsCommand;

export interface CliOptions {
  readonly command: Command;
  readonly json: boolean;
  readonly apiUrl: string;
  readonly adminToken: string;
}

/** What the command line leaves open. */
export interface CliSurroundings {
  /** Written by `npm start`. */
  readonly stackFile: string;
  /** Token used with `--api` when `--admin-token` is not given. */
  readonly adminToken: () => string;
}

const OPTIONS = {
  slug: { type: 'string' },
  name: { type: 'string' },
  tier: { type: 'string' },
  region: { type: 'string' },
  out: { type: 'string' },
  to: { type: 'string' },
  'moved-to': { type: 'string' },
  rollback: { type: 'boolean', default: false },
  repair: { type: 'boolean', default: false },
  type: { type: 'string' },
  limit: { type: 'string' },
  json: { type: 'boolean', default: false },
  api: { type: 'string' },
  'admin-token': { type: 'string' },
  stack: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parse>['values'];
type OptionName = keyof typeof OPTIONS;

/** Options that belong to a command, beside those of the connection. */
const TENANT_OPTIONS: Readonly<Record<string, readonly OptionName[]>> = {
  create: ['slug', 'name', 'tier', 'region'],
  show: [],
  suspend: [],
  resume: [],
  export: ['out'],
  import: ['slug'],
  delete: ['moved-to'],
  move: ['to', 'rollback'],
  reconcile: ['repair'],
};
const NOUNS: Readonly<Record<string, Noun>> = {
  tenant: { options: TENANT_OPTIONS, read: tenantCommand },
  jobs: { options: JOBS_OPTIONS, read: jobsCommand },
};
const SHARED: readonly OptionName[] = ['json', 'api', 'admin-token', 'stack'];

interface Noun {
  /** Of each of its verbs. */
  readonly options: Readonly<Record<string, readonly OptionName[]>>;
  readonly read: (verb: string, objects: readonly string[], values: Values) => Command;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The options, or undefined where only help was asked for. Throws UsageError. */
export function readOptions(argv: readonly string[], surroundings: CliSurroundings): CliOptions | undefined {
  const { values, positionals } = parse(argv);
  if (values.help) return undefined;
  const [noun = '', verb = '', ...objects] = positionals;
  const { options, read } = NOUNS[noun] ?? {};
  const own = options?.[verb];
  if (!read || !own) {
    const known = Object.entries(NOUNS).map(([name, { options: verbs }]) => `${name} ${Object.keys(verbs).join('|')}`);
    throw new UsageError(`Name a command: ${known.join(', ')}; --help tells more.`);
  }
  const allowed = new Set<string>([...own, ...SHARED]);
  const stray = Object.entries(values).find(([name, value]) => value !== false && !allowed.has(name));
  if (stray) throw new UsageError(`${noun} ${verb} takes no --${stray[0]}.`);
  return { command: read(verb, objects, values), json: values.json, ...connection(values, surroundings) };
}

function tenantCommand(verb: string, objects: readonly string[], values: Values): Command {
  if (verb === 'create') {
    const { slug, name, tier, region } = values;
    if (slug === undefined || name === undefined || objects.length > 0)
      throw new UsageError('tenant create takes --slug SLUG and --name NAME.');
    return { name: 'create', organization: { slug, name, tier, region } };
  }
  const [object, ...rest] = objects;
  if (object === undefined || rest.length > 0)
    throw new UsageError(`tenant ${verb} takes exactly one ${verb === 'import' ? 'FILE' : 'TENANT'}.`);
  if (verb === 'import') return { name: 'import', file: object, slug: values.slug };
  if (verb === 'export') return { name: 'export', tenant: object, out: values.out };
  if (verb === 'reconcile') return { name: 'reconcile', tenant: object, repair: values.repair };
  if (verb === 'delete') return { name: 'delete', tenant: object, movedTo: values['moved-to'] };
  if (verb !== 'move') return { name: verb as 'show' | 'suspend' | 'resume', tenant: object };
  if ((values.to === undefined) !== values.rollback)
    throw new UsageError('tenant move takes either --to SHARD or --rollback.');
  return values.to === undefined
    ? { name: 'rollback', tenant: object }
    : { name: 'move', tenant: object, shard: values.to };
}

type Connection = Pick<CliOptions, 'apiUrl' | 'adminToken'>;

function connection(values: Values, { stackFile, adminToken }: CliSurroundings): Connection {
  const token = values['admin-token'];
  if (values.api === undefined) {
    const stack = stackConnection(values.stack ?? stackFile);
    return { ...stack, adminToken: token ?? stack.adminToken };
  }
  const url = URL.canParse(values.api) ? new URL(values.api) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--api takes an http or https URL, not "${values.api}".`);
  return { apiUrl: url.href.replace(/\/+$/, ''), adminToken: token ?? adminToken() };
}

function stackConnection(stackFile: string): Connection {
  let stack: Record<string, unknown>;
  try {
    stack = JSON.parse(readFileSync(stackFile, 'utf8')) as Record<string, unknown>;
  } catch {
    throw new UsageError(
      'Nothing runs here (no readable stack.json): run `npm start` first, or name an api with --api.',
    );
  }
  const { api_url: apiUrl, admin_token: adminToken } = stack;
  if (typeof apiUrl === 'string' && typeof adminToken === 'string') return { apiUrl, adminToken };
  throw new UsageError('stack.json lacks api_url or admin_token: run `npm start` again.');
}
