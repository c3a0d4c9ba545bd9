/** The environment of each rendered process is one that it starts with in production, and says what the chart means. */
import { readFileSync } from 'node:fs';
import { ENVIRONMENT_SCHEMA, loadConfig, type ProcessName } from '#libs/config';
import { environmentOf } from './rendered/environment';
import { type KubernetesObject, readObjects } from './rendered/objects';
import { processesOf, type Variable, type Workload, workloadsOf } from './rendered/pods';
import { snapshotPath, textOf, VALUE_SETS } from './rendered/value-sets';

const KNOWN = new Set(Object.keys(ENVIRONMENT_SCHEMA.properties));
/** Node's, the version of the release (libs/config), and what only stands in other variables. */
const NODE = 'NODE_OPTIONS';
const VERSION = 'npm_package_version';
/** Keys of the secrets that operators of Postgres make. */
const OF_A_LOGIN = ['username', 'password'];
const CLASSES = ['bulk', 'critical', 'high', 'low', 'normal'];

const isProgram = ({ component }: Workload): boolean => ['api', 'worker', 'metrics', 'migrate'].includes(component);

describe.each([...VALUE_SETS])('with %s', (name, files) => {
  const objects = readObjects(readFileSync(snapshotPath(name), 'utf8'));
  const programs = workloadsOf(objects).filter(isProgram);
  const given = (workload: Workload, optional = true) =>
    environmentOf(workload.pod.containers[0]!, objects, { optional });

  it.each(programs.map((one) => [one.title, one] as const))('%s is given only what is known', (_, workload) => {
    const { variables, used, problems } = given(workload);
    expect(problems).toEqual([]);
    expect(Object.keys(variables).filter((one) => !KNOWN.has(one) && !used.has(one) && one !== NODE)).toEqual(
      workload.component === 'migrate' ? [] : [VERSION],
    );
  });

  it.each(programs.map((one) => [one.title, one] as const))('%s starts in production', (_, workload) => {
    for (const optional of [true, false]) {
      const { variables } = given(workload, optional);
      expect(variables['NODE_ENV']).toBe('production');
      const config = loadConfig(variables, {}, workload.component as ProcessName);
      const [image] = workload.pod.containers.map((one) => one.image);
      if (workload.component !== 'migrate' && !image!.includes('@')) expect(image).toMatch(`:${config.version}`);
    }
  });

  it('refuses to start without a secret that is not optional', () => {
    for (const workload of processesOf(objects)) {
      const container = workload.pod.containers[0]!;
      for (const variable of container.env!.filter(isNeeded)) {
        const env = container.env!.filter((one) => one !== variable);
        const { variables, problems } = environmentOf({ ...container, env }, objects, { optional: false });
        if (variable.name === 'REDIS_URL') continue; // has a default, which leads nowhere in a cluster
        expect(() => {
          if (problems.length > 0) throw new Error(problems.join());
          loadConfig(variables, {}, workload.component as ProcessName);
        }).toThrow(variable.name);
      }
    }
  });

  it('gives every secret by reference, under a name that the values tell of', () => {
    const told = ['values.yaml', 'README.md'].map((page) => wordsOf(readFileSync(`helm/stockyard/${page}`, 'utf8')));
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const keys = workloadsOf(objects).flatMap(({ pod }) =>
      [...pod.containers, ...(pod.initContainers ?? [])].flatMap(({ env = [] }) =>
        env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.key ?? []),
      ),
    );
    const chosen = textOf(files);
    const untold = [...new Set(keys)].filter((key) => !chosen.includes(key) && !OF_A_LOGIN.includes(key));
    expect(untold.filter((key) => !told.every((words) => words.has(key)))).toEqual([]);
  });

  it('has every class of jobs in one group of workers, which know their slots', () => {
    const configs = processesOf(objects)
      .filter(({ component }) => component === 'worker')
      .map((one) => loadConfig(given(one).variables, {}, 'worker'));
    expect(configs.flatMap(({ workerClasses }) => workerClasses).sort()).toEqual(CLASSES);
  });

  it('listens where ports and addresses lead', () => {
    for (const { title, component, pod } of processesOf(objects)) {
      const { variables } = environmentOf(pod.containers[0]!, objects, { optional: true });
      const config = loadConfig(variables, {}, component as ProcessName);
      const port = { api: config.API_PORT, worker: config.WORKER_PORT, metrics: config.METRICS_PORT }[component];
      expect([title, pod.containers[0]!.ports]).toEqual([
        title,
        [{ name: 'http', containerPort: port, protocol: 'TCP' }],
      ]);
      expect(['0.0.0.0', '::']).toContain(config.HOST);
    }
  });

  it('finds databases and Redis where the values or the release have them', () => {
    const chosen = textOf(files);
    const services = objects.filter(({ kind }) => kind === 'Service');
    for (const workload of processesOf(objects)) {
      const { variables } = given(workload, false);
      const config = loadConfig(variables, {}, workload.component as ProcessName);
      const urls = config.shards.flatMap((shard) => [...shard.hosts, ...shard.replicas]);
      const redis = [config.REDIS_URL, config.redisCacheUrl, config.redisLimitsUrl];
      for (const url of [...urls, ...redis].map((one) => new URL(one))) {
        const inCluster = services.some((one) => isAt(one, url));
        expect([workload.title, url.host, inCluster || chosen.includes(url.host) || isSecret(url)]).toEqual([
          workload.title,
          url.host,
          true,
        ]);
      }
    }
  });

  it('has Node leave room beside its heap', () => {
    for (const workload of processesOf(objects)) {
      const options = given(workload).variables[NODE]!.split(' ');
      for (const option of options) expect(process.allowedNodeEnvironmentFlags.has(option.split('=')[0]!)).toBe(true);
      expect(options).toContain('--v8-pool-size=0');
      const heap = Number(options.find((one) => one.startsWith('--max-old-space-size='))!.split('=')[1]);
      const limit = mebibytes(workload.pod.containers[0]!.resources.limits['memory']!);
      expect(heap).toBeGreaterThanOrEqual(128);
      expect(heap).toBeLessThanOrEqual(0.8 * limit);
    }
  });
});

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.split(/\W+/));
const isNeeded = ({ valueFrom }: Variable): boolean =>
  valueFrom?.secretKeyRef !== undefined && valueFrom.secretKeyRef.optional !== true;
const isSecret = ({ password }: URL): boolean => password.includes('s%40cret');

function isAt({ metadata, spec }: KubernetesObject, { hostname, port }: URL): boolean {
  const { ports } = spec as { ports: readonly { port: number }[] };
  return metadata.name === hostname && ports.some((one) => String(one.port) === port);
}

function mebibytes(quantity: string | number): number {
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(String(quantity))!;
  return Number(number) * (unit === 'Gi' ? 1_024 : 1);
}
