/**
 * What is kept of a rendered chart for people and specs to read: everything, but files that the chart only hands on (rules and
 * dashboards) by their name. They are compared with their source where they are rendered.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { CHART } from '../files';
import { type KubernetesObject, readObjects, titleOf } from './objects';

/** In the order of their names, so that a moved template changes nothing. */
export function snapshotOf(rendered: string): string {
  const objects = readObjects(rendered).map(withoutFiles);
  objects.sort((one, other) => (titleOf(one) < titleOf(other) ? -1 : 1));
  return objects
    .map((one) => stringify(one, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n');
}

const HANDED_ON = 'of the file ';

function withoutFiles(object: KubernetesObject): KubernetesObject {
  if (object.kind === 'PrometheusRule') {
    const { groups } = object.spec as { groups: unknown[] };
    return { ...object, spec: { groups: groups.map((group) => ruleFiles().get(JSON.stringify(group)) ?? group) } };
  }
  if (object.kind !== 'ConfigMap' || !object.data) return object;
  const data = Object.entries(object.data).map(([name, text]) => [name, dashboards().get(text.trim()) ?? text]);
  return { ...object, data: Object.fromEntries(data) as Record<string, string> };
}

const namesIn = (directory: string): string[] => readdirSync(join(CHART, directory));
const textOf = (directory: string, name: string): string => readFileSync(join(CHART, directory, name), 'utf8');

/** The name of its file by each group of rules. */
function ruleFiles(): Map<string, string> {
  return new Map(
    namesIn('files/rules').flatMap((name) => {
      const { groups } = parse(textOf('files/rules', name)) as { groups: { name: string }[] };
      return groups.map((group): [string, string] => [
        JSON.stringify(group),
        `group ${group.name} ${HANDED_ON}rules/${name}`,
      ]);
    }),
  );
}

function dashboards(): Map<string, string> {
  const directory = 'files/dashboards';
  return new Map(
    namesIn(directory).map((name) => [textOf(directory, name).trim(), `all ${HANDED_ON}dashboards/${name}`]),
  );
}
