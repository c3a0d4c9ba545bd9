/** What the chart holds that has its source elsewhere: rules, dashboards, and the schema of its values. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VALUES_SCHEMA } from './values/schema';

export const CHART = 'helm/stockyard';

const COPIES = [
  ['deploy/prometheus/rules', '.yml', 'files/rules'],
  ['deploy/grafana/dashboards', '.json', 'files/dashboards'],
] as const;

/** Directories of the chart in which nothing else may be. */
export const COPIED = COPIES.map(([, , to]) => join(CHART, to));

/** Content by path. */
export function chartFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const [from, extension, to] of COPIES)
    for (const name of readdirSync(from).filter((one) => one.endsWith(extension)))
      files.set(join(CHART, to, name), readFileSync(join(from, name), 'utf8'));
  files.set(join(CHART, 'values.schema.json'), `${JSON.stringify(VALUES_SCHEMA, null, 2)}\n`);
  return files;
}
