/** The sets of values with which the chart is rendered: its own examples, and those of tools/chart/value-sets. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART } from '../files';

const own = (name: string): string => join('tools/chart/value-sets', `${name}.yaml`);

/** Whose own values are not enough for a release. */
export const EXAMPLES = join(CHART, 'examples');
const example = (name: string): string => join(EXAMPLES, `${name}.yaml`);

/** Files by name of the set; a later one wins. */
export const VALUE_SETS: ReadonlyMap<string, readonly string[]> = new Map([
  ['minimal', [own('minimal')]],
  ['bare', [own('bare')]],
  ['everything', [own('everything')]],
  ['groups', [own('groups')]],
  ['hpa', [own('minimal'), example('hpa')]],
  ['production', [example('production')]],
  ['trial', [example('trial')]],
]);

export const optionsOf = (files: readonly string[]): string[] => files.flatMap((file) => ['--values', file]);

/** What somebody chose, to find names in. */
export const textOf = (files: readonly string[]): string => files.map((file) => readFileSync(file, 'utf8')).join('\n');

export const snapshotPath = (name: string): string => `tools/chart/snapshots/${name}.yaml`;
