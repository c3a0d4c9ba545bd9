/** The command line of the simulation. */
import { isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface SimulateOptions {
  readonly command: 'run';
  /** A rendered chart; undefined: the chart is rendered with `values` and `set`. */
  readonly rendered: string | undefined;
  readonly values: readonly string[];
  readonly set: readonly string[];
  /** Names of traces; empty: all. */
  readonly traces: readonly string[];
  readonly figures: string | undefined;
  readonly costModel: string | undefined;
  /** Directory for a picture of each trace. */
  readonly pictures: string | undefined;
  readonly everySeconds: number;
  readonly json: boolean;
  readonly seed: number;
}

export type AutoscaleOptions =
  | SimulateOptions
  | { readonly command: 'measure'; readonly out: string; readonly nodeFlags: readonly string[] }
  | { readonly command: 'profile'; readonly file: string; readonly out: string }
  | { readonly command: 'help' };

/** A fault of the user, told in one line without a stack trace. */
export class UsageError extends Error {}

export const USAGE = `Usage: npm run simulate -- [TRACE…] [options]
       npm run simulate -- measure [--out FILE] [--node-flags "FLAGS"]
       npm run simulate -- profile FILE.csv[.gz] [--out FILE]

Plays loads against the autoscalers of the chart. Traces: step, ramp, spike, day, queue (default: these), and
surge, which is more than the default values are made for.

  --rendered FILE      what helm template has written (default: helm/stockyard is rendered; helm is built with Go if need be)
  --values FILE        values for helm template; may be repeated (default: examples/production.yaml of the chart)
  --set NAME=VALUE     a value for helm template; may be repeated
  --every SECONDS      a row of the table for so much time (default 60)
  --pictures DIR       writes TRACE.svg for each trace
  --figures FILE       measurements of the processes (default: those that come with the tool)
  --cost-model JSON    COST_MODEL, of which the bill for compute pays for the pods (default: the example of docs/costs.md)
  --seed N             of the random numbers (default 1)
  --json               one line of JSON for each trace instead of tables

measure runs an api and a worker of dist/ over servers of its own and writes what they take of time and memory.
profile writes the hours of an average day from the Online Retail file.
Exit status of a run: 0 where every trace keeps its objectives, 1 where one does not, 2 for a command line that says nothing runnable.
`;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        rendered: { type: 'string' },
        values: { type: 'string', multiple: true, default: [] },
        set: { type: 'string', multiple: true, default: [] },
        every: { type: 'string', default: '60' },
        pictures: { type: 'string' },
        figures: { type: 'string' },
        'cost-model': { type: 'string' },
        seed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        out: { type: 'string' },
        'node-flags': { type: 'string', default: '' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function whole(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} takes a whole number from 1 on, not "${text}".`);
}

export interface Places {
  /** That relative names are resolved against. */
  readonly workingDirectory: string;
  /** Where measurements and the profile are written by default. */
  readonly figuresFile: string;
  readonly profileFile: string;
  readonly traces: readonly string[];
}

/** Throws UsageError. */
export function readOptions(argv: readonly string[], places: Places): AutoscaleOptions {
  const { values, positionals } = parse(argv);
  const path = (name: string): string => (isAbsolute(name) ? name : resolve(places.workingDirectory, name));
  const optional = (name: string | undefined): string | undefined => (name === undefined ? undefined : path(name));
  if (values.help) return { command: 'help' };
  const [first, ...rest] = positionals;
  if (first === 'measure') {
    if (rest.length > 0) throw new UsageError(`measure takes no "${rest[0]!}".`);
    const nodeFlags = values['node-flags'].split(/\s+/).filter((flag) => flag !== '');
    return { command: 'measure', out: optional(values.out) ?? places.figuresFile, nodeFlags };
  }
  if (first === 'profile') {
    if (rest.length !== 1) throw new UsageError('profile takes exactly one FILE.csv or FILE.csv.gz.');
    return { command: 'profile', file: path(rest[0]!), out: optional(values.out) ?? places.profileFile };
  }
  const unknown = positionals.find((name) => !places.traces.includes(name));
  if (unknown !== undefined) throw new UsageError(`There is no trace "${unknown}", only ${places.traces.join(', ')}.`);
  return {
    command: 'run',
    rendered: optional(values.rendered),
    values: values.values.map(path),
    set: values.set,
    traces: positionals,
    figures: optional(values.figures),
    costModel: values['cost-model'],
    pictures: optional(values.pictures),
    everySeconds: whole('every', values.every),
    json: values.json,
    seed: whole('seed', values.seed),
  };
}
