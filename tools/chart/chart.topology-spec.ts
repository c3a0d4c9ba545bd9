/** What helm makes of the chart: nothing to complain of, what is kept here, and kinds as they are published. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHART } from './files';
import { helm, template } from './rendered/helm';
import { type KubernetesObject, readObjects, titleOf } from './rendered/objects';
import { snapshotOf } from './rendered/snapshot';
import { EXAMPLES, optionsOf, snapshotPath, VALUE_SETS } from './rendered/value-sets';
import type { ScaledSpec } from './rendered/scaling';
import { PublishedSchemas } from './schemas/published';
import { PublishedScalers } from './schemas/scalers';

const RULES = 'deploy/prometheus/rules';
const DASHBOARDS = 'deploy/grafana/dashboards';

let rendered: ReadonlyMap<string, string>;
let schemas: PublishedSchemas;
let scalers: PublishedScalers;

beforeAll(() => {
  rendered = new Map([...VALUE_SETS].map(([name, files]) => [name, template(optionsOf(files))]));
  schemas = new PublishedSchemas();
  scalers = new PublishedScalers();
}, 600_000); // where helm is to be built

const objectsOf = (name: string): KubernetesObject[] => readObjects(rendered.get(name)!);

it('renders every example, and keeps no snapshot of values that are gone', () => {
  const rendered = new Set([...VALUE_SETS.values()].flat());
  expect(readdirSync(EXAMPLES).filter((name) => !rendered.has(join(EXAMPLES, name)))).toEqual([]);
  expect(readdirSync('tools/chart/snapshots').sort()).toEqual(
    [...VALUE_SETS.keys()].map((name) => `${name}.yaml`).sort(),
  );
});

describe.each([...VALUE_SETS])('with %s', (name, files) => {
  it('has nothing that helm would warn of', () => {
    const { status, stdout } = helm('lint', '--strict', CHART, ...optionsOf(files));
    expect([stdout, status]).toEqual([expect.stringContaining('0 chart(s) failed'), 0]);
    expect(stdout).not.toMatch(/\[(WARNING|ERROR)\]/);
  });

  it('is what is kept in tools/chart/snapshots (otherwise: npm run chart:snapshots, and look at what changed)', () => {
    expect(snapshotOf(rendered.get(name)!)).toBe(readFileSync(snapshotPath(name), 'utf8'));
  });

  it('is of kinds that Kubernetes, KEDA and the Prometheus operator publish, with no field that they do not know', () => {
    const objects = objectsOf(name);
    expect(objects.length).toBeGreaterThan(8);
    for (const object of objects) expect([titleOf(object), schemas.problems(object)]).toEqual([titleOf(object), []]);
  });

  it('tells the triggers of KEDA what they read', () => {
    const scaled = objectsOf(name).filter(({ kind }) => kind === 'ScaledObject');
    for (const trigger of scaled.flatMap(({ spec }) => (spec as ScaledSpec).triggers))
      expect([trigger.name, scalers.problems(trigger)]).toEqual([trigger.name, []]);
  });
});

it('finds a field that is unknown, one that is missing, one of another type and one that is there twice', () => {
  const deployment = objectsOf('minimal').find(({ kind }) => kind === 'Deployment')!;
  const changed = (change: (container: Record<string, unknown>) => void): string[] => {
    const copy = structuredClone(deployment) as unknown as {
      spec: { template: { spec: { containers: Record<string, unknown>[] } } };
    };
    change(copy.spec.template.spec.containers[0]!);
    return schemas.problems(copy as unknown as KubernetesObject).map((one) => one.replace(/.*containers\/0/, ''));
  };
  expect(changed((one) => (one['imagePullpolicy'] = 'Always'))).toEqual(['/imagePullpolicy is unknown']);
  expect(changed((one) => delete one['name'])).toEqual([expect.stringContaining('required properties name')]);
  expect(changed((one) => (one['ports'] = [{ containerPort: '3000' }]))).toEqual([
    '/ports/0/containerPort must be integer',
  ]);
  expect(changed((one) => (one['env'] = [{ name: 'A' }, { name: 'A' }]))).toEqual(['/env has ["A"] twice']);
  expect(changed((one) => (one['resources'] = { limits: { memory: '512MB' } }))).toEqual([
    expect.stringContaining('/resources/limits/memory must match pattern'),
  ]);
  expect(schemas.problems({ ...deployment, apiVersion: 'apps/v1beta1' })).toEqual([
    'apps/v1beta1 Deployment is no kind that is known',
  ]);
  const metadata = { serverAddress: 'http://prometheus', querry: 'up', threshold: '1', authModes: 'password' };
  expect(scalers.problems({ type: 'prometheus', metadata })).toEqual([
    'query is missing',
    'querry is unknown',
    'authModes cannot be password',
  ]);
});

describe('rules and dashboards', () => {
  const namesIn = (directory: string): string[] => readdirSync(directory).sort();

  it('are those of deploy/', () => {
    const objects = objectsOf('everything');
    const [rule, ...others] = objects.filter(({ kind }) => kind === 'PrometheusRule');
    expect(others).toEqual([]);
    const groups = namesIn(RULES).flatMap(
      (name) => (parse(readFileSync(join(RULES, name), 'utf8')) as { groups: unknown[] }).groups,
    );
    expect(rule!.spec).toEqual({ groups });
    const texts = objects
      .filter(({ metadata }) => metadata.name.includes('-dashboard-'))
      .flatMap(({ data }) => Object.entries(data!));
    expect(texts.map(([name]) => name).sort()).toEqual(namesIn(DASHBOARDS));
    for (const [name, text] of texts)
      expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(join(DASHBOARDS, name), 'utf8')));
  });
});
