/** The command line of the replay and the connection it works on. */
import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseScarcity, type Scarcity } from './model/scarcity';

export interface ReplayOptions {
  readonly file: string;
  readonly scarcity: Scarcity;
  /** Requests in flight at most. */
  readonly concurrency: number;
  /** Replay only this many invoices from the beginning of the file; undefined: all. */
  readonly limitInvoices: number | undefined;
  readonly json: boolean;
  readonly apiUrl: string;
  readonly adminToken: string;
}

/** What the command line leaves open. */
export interface ReplaySurroundings {
  /** Directory that a relative FILE is resolved against. */
  readonly workingDirectory: string;
  /** Written by `npm start`. */
  readonly stackFile: string;
  /** Token used with `--api` when `--admin-token` is not given. */
  readonly adminToken: () => string;
}

/** A fault of the user, told in one line without a stack trace. */
export class UsageError extends Error {}

export const USAGE = `Usage: npm run replay -- FILE.csv[.gz] [options]

  --scarcity F         opening stock = F × everything sold or written off, rounded down (default 1)
  --concurrency N      requests in flight at most (default 16)
  --limit-invoices N   only the first N invoices of the file
  --json               one line of JSON on stdout instead of a table
  --api URL            api to drive (default: api_url of stack.json)
  --stack FILE         stack.json to connect by (default: the one that \`npm start\` wrote here)
  --admin-token TOKEN  operator token (default: admin_token of stack.json, or ADMIN_TOKEN with --api)
`;

const MAX_CONCURRENCY = 1_024;

function count(name: string, text: string | undefined, maximum: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= maximum) return value;
  throw new UsageError(`--${name} takes a whole number from 1 to ${maximum}, not "${text}".`);
}

interface Connection {
  readonly apiUrl: string;
  readonly adminToken: string;
}

function stackConnection(stackFile: string): Connection {
  let text: string;
  try {
    text = readFileSync(stackFile, 'utf8');
  } catch {
    throw new UsageError(
      'Nothing runs here (.stockyard/stack.json is missing): run `npm start` first, or name an api with --api URL.',
    );
  }
  try {
    const stack = JSON.parse(text) as Record<string, unknown>;
    if (typeof stack.api_url === 'string' && typeof stack.admin_token === 'string') {
      return { apiUrl: stack.api_url, adminToken: stack.admin_token };
    }
  } catch {
    // falls through: text that is no JSON says as little as JSON without the fields
  }
  throw new UsageError('.stockyard/stack.json lacks api_url or admin_token: run `npm start` again.');
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '');
  throw new UsageError(`--api takes an http or https URL, not "${text}".`);
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        scarcity: { type: 'string', default: '1' },
        concurrency: { type: 'string', default: '16' },
        'limit-invoices': { type: 'string' },
        json: { type: 'boolean', default: false },
        api: { type: 'string' },
        'admin-token': { type: 'string' },
        stack: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The options, or undefined where only help was asked for. Throws UsageError. */
export function readOptions(argv: readonly string[], surroundings: ReplaySurroundings): ReplayOptions | undefined {
  const { values, positionals } = parse(argv);
  if (values.help) return undefined;
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) throw new UsageError('Name exactly one FILE.csv or FILE.csv.gz.');
  const scarcity = parseScarcity(values.scarcity);
  if (!scarcity) throw new UsageError(`--scarcity takes a decimal from 0 to 1000, not "${values.scarcity}".`);
  const concurrency = count('concurrency', values.concurrency, MAX_CONCURRENCY)!;
  const limitInvoices = count('limit-invoices', values['limit-invoices'], Number.MAX_SAFE_INTEGER);
  const { apiUrl, adminToken } =
    values.api === undefined
      ? stackConnection(values.stack ?? surroundings.stackFile)
      : { apiUrl: values.api, adminToken: values['admin-token'] ?? surroundings.adminToken() };
  return {
    file: isAbsolute(file) ? file : resolve(surroundings.workingDirectory, file),
    scarcity,
    concurrency,
    limitInvoices,
    json: values.json,
    apiUrl: httpUrl(apiUrl),
    adminToken: values['admin-token'] ?? adminToken,
  };
}
