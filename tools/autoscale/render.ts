/** The chart as `helm template` writes it. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface Rendering {
  /** Of the checkout. */
  readonly root: string;
  /** Files; without any, those of the chart's example for production, as the chart wants to know some things. */
  readonly values?: readonly string[];
  readonly set?: readonly string[];
}

const MOST_BYTES = 64 * 2 ** 20;

/** What the chart was asked that it cannot do, in helm's words. */
export class HelmError extends Error {}

/** Builds helm where it is not there yet. Throws a HelmError. */
export function renderChart({ root, values = [], set = [] }: Rendering): string {
  const chart = join(root, 'helm', 'stockyard');
  const files = values.length > 0 ? values : [join(chart, 'examples', 'production.yaml')];
  const options = [...files.flatMap((file) => ['--values', file]), ...set.flatMap((value) => ['--set', value])];
  const helm = run(join(root, 'tools', 'chart', 'install-helm.sh'), []).trim();
  return run(helm, ['template', 'stockyard', chart, '--namespace', 'stockyard', ...options]);
}

function run(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', maxBuffer: MOST_BYTES, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new HelmError((stderr ?? message).trim());
  }
}
