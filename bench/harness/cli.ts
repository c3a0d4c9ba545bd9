/**
 * `npm run bench -- NAME [--json | --markdown] [--check] [--only TEXT] [--rounds N] [--budget-seconds S]`. `--only` measures
 * the comparisons whose name contains the text; the budget is that of one comparison. Resolves with the exit status: 0, 1
 * with `--check` where a target is missed, 2 for a command line that says nothing runnable.
 */
import { parseArgs } from 'node:util';
import type { Bench, Figures } from './bench';
import { figuresOf, markdownOf, type Measured } from './figures';
import { comparePaired, type RoundOptions } from './paired-rounds';
import { checkTargets, describeTarget, type Targets } from './targets';

export interface BenchCli {
  readonly benches: readonly Bench[];
  readonly targets: Targets;
  /** Length to aim at for one half of a pair, milliseconds. Default 250. */
  readonly roundMs?: number;
  /** Figures. */
  readonly out: (text: string) => void;
  /** What is going on. */
  readonly tell: (text: string) => void;
}

interface Options extends Pick<RoundOptions, 'rounds' | 'budgetMs'> {
  readonly bench: Bench;
  readonly shape: 'table' | 'json' | 'markdown';
  readonly check: boolean;
  readonly only: string;
}

class UsageError extends Error {}

const ROUND_MS = 250;

function whole(name: string, text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} takes a whole number from 1 to 99999, not "${text}".`);
}

function readOptions(argv: readonly string[], benches: readonly Bench[]): Options {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        only: { type: 'string', default: '' },
        rounds: { type: 'string', default: '21' },
        'budget-seconds': { type: 'string', default: '20' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals } = parsed;
  const bench = benches.find(({ name }) => name === positionals[0]);
  if (!bench || positionals.length > 1) {
    const names = benches.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n');
    throw new UsageError(
      `${misnamed(positionals)}\n\nUsage: npm run bench -- NAME [--json | --markdown] [--check] [--only TEXT] [--rounds N] [--budget-seconds S]\n\n${names}`,
    );
  }
  const rounds = whole('rounds', values.rounds);
  const budgetMs = whole('budget-seconds', values['budget-seconds']) * 1_000;
  const shape = values.json ? 'json' : values.markdown ? 'markdown' : 'table';
  return { bench, rounds, budgetMs, shape, check: values.check, only: values.only };
}

function misnamed(names: readonly string[]): string {
  if (names.length === 0) return 'Name a bench.';
  return names.length > 1 ? 'Name one bench at a time.' : `There is no bench "${names[0]}".`;
}

async function measure({ bench, only, rounds, budgetMs }: Options, cli: BenchCli): Promise<Measured[]> {
  const { tell, roundMs = ROUND_MS } = cli;
  tell(`${bench.name}: ${bench.about}`);
  const measured: Measured[] = [];
  for await (const comparison of bench.compare()) {
    if (!comparison.name.includes(only)) continue;
    tell(`${comparison.name}: ${comparison.subject.name} against ${comparison.reference.name} …`);
    measured.push({ comparison, result: await comparePaired(comparison, { rounds, roundMs, budgetMs }) });
  }
  return measured;
}

function table(figures: Figures): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  return Object.entries(figures)
    .map(([name, value]) => `${name.padEnd(width)}  ${value}\n`)
    .join('');
}

export async function runBenchCli(argv: readonly string[], cli: BenchCli): Promise<number> {
  let options: Options;
  try {
    options = readOptions(argv, cli.benches);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    cli.tell(error.message);
    return 2;
  }
  const measured = await measure(options, cli);
  const figures = measured.reduce<Figures>((all, one) => ({ ...all, ...figuresOf(one) }), {});
  const checked = options.check ? checkTargets(figures, cli.targets[options.bench.name]) : [];
  for (const target of checked) cli.tell(describeTarget(target));
  const shapes = {
    json: () => `${JSON.stringify({ bench: options.bench.name, ...figures })}\n`,
    markdown: () => markdownOf(measured),
    table: () => table(figures),
  };
  cli.out(shapes[options.shape]());
  return checked.every(({ reached }) => reached) ? 0 : 1;
}
