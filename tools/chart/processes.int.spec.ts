/** The processes, started with the environment that the chart gives them, answer where its probes, monitors and Ingresses lead. */
import { readFileSync } from 'node:fs';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { ObservedProcess } from '../../apps/api/test/support/observed-process';
import { environmentOf } from './rendered/environment';
import { readObjects } from './rendered/objects';
import { PROCESSES, processesOf } from './rendered/pods';
import { snapshotPath } from './rendered/value-sets';

type Name = (typeof PROCESSES)[number];

interface IngressSpec {
  readonly rules: readonly { readonly http: { readonly paths: readonly { path: string; pathType: string }[] } }[];
}

/** Files on a volume, which here is a directory. */
const objects = readObjects(readFileSync(snapshotPath('bare'), 'utf8'));
const workloads = processesOf(objects);
const pathsOf = (name: Name): string[] =>
  readObjects(readFileSync(snapshotPath('production'), 'utf8'))
    .filter(({ kind, metadata }) => kind === 'Ingress' && metadata.name.endsWith(`-${name}`))
    .flatMap(({ spec }) => (spec as IngressSpec).rules[0]!.http.paths.map(({ path }) => path));

/** Something below a path that leads on. */
const BELOW: Readonly<Record<string, string>> = { 'api/v1': '/v1/products', 'metrics/v1': '/v1/cluster' };

describe('processes of the chart', () => {
  let env: TestEnvironment;
  let running: ReadonlyMap<string, ObservedProcess>;

  beforeAll(async () => {
    env = await createTestEnvironment();
    const start = async (name: Name): Promise<[string, ObservedProcess]> => {
      const { pod } = workloads.find(({ component }) => component === name)!;
      const { variables } = environmentOf(pod.containers[0]!, objects, { optional: false });
      const own = Object.entries(variables).filter(([variable]) => !/^DATABASE_\w+_PASSWORD$/.test(variable));
      // The servers of the tests, whose passwords are none for production; and nobody from outside.
      const here = { ...env.variables, HOST: '127.0.0.1' };
      return [name, await ObservedProcess.start(name, { ...Object.fromEntries(own), ...here })];
    };
    running = new Map(await Promise.all(PROCESSES.map(start)));
  });

  afterAll(async () => {
    await Promise.all([...running.values()].map((one) => one.stop()));
    await env.dispose();
  });

  const status = async (name: Name, path: string): Promise<number> => {
    const response = await fetch(running.get(name)!.url + path);
    await response.arrayBuffer();
    return response.status;
  };

  it.each(PROCESSES)('%s answers its probes and scrapes', async (name) => {
    const { pod } = workloads.find(({ component }) => component === name)!;
    const { startupProbe, livenessProbe, readinessProbe } = pod.containers[0]!;
    for (const probe of [startupProbe, livenessProbe, readinessProbe])
      expect([probe!.httpGet!.path, await status(name, probe!.httpGet!.path)]).toEqual([probe!.httpGet!.path, 200]);
    expect(await status(name, '/metrics')).toBe(200);
    expect(await status(name, '/nowhere')).toBe(404);
  });

  it.each(['api', 'metrics'] as const)('%s has something at every path of its Ingress', async (name) => {
    const paths = pathsOf(name);
    expect(paths.length).toBeGreaterThan(3);
    for (const path of paths) {
      const asked = path === '/assets' ? await assetOf(running.get(name)!) : (BELOW[name + path] ?? path);
      expect([asked, await status(name, asked)]).not.toEqual([asked, 404]);
      expect(await status(name, asked)).toBeLessThan(500);
    }
  });
});

/** A file that the dashboard's page asks for. */
async function assetOf({ url }: ObservedProcess): Promise<string> {
  const page = await fetch(url).then((response) => response.text());
  return new URL(/"([^"]*assets\/[^"]+)"/.exec(page)![1]!, url).pathname;
}
