/** Each rendered pod may do as little as it needs, is given what the design says, and is waited for when it leaves. */
import { existsSync, readFileSync } from 'node:fs';
import { loadConfig, type ProcessName } from '#libs/config';
import { environmentOf } from './rendered/environment';
import { type KubernetesObject, readObjects } from './rendered/objects';
import { type Container, PROCESSES, processesOf, type Workload, workloadsOf } from './rendered/pods';
import { snapshotPath, VALUE_SETS } from './rendered/value-sets';

/** Seconds beyond the grace of a process, in which it ends by itself. */
const MARGIN = 2;

const containersOf = ({ pod }: Workload): readonly Container[] => [...pod.containers, ...(pod.initContainers ?? [])];

function configOf(workload: Workload, objects: readonly KubernetesObject[]) {
  return loadConfig(
    environmentOf(workload.pod.containers[0]!, objects, { optional: true }).variables,
    {},
    workload.component as ProcessName,
  );
}

describe.each([...VALUE_SETS.keys()])('with %s', (name) => {
  const objects = readObjects(readFileSync(snapshotPath(name), 'utf8'));
  const all = workloadsOf(objects);
  const processes = processesOf(objects);

  it('has an api, metrics, workers, and migrations before them', () => {
    const components = new Set(all.map(({ component }) => component));
    expect([...PROCESSES, 'migrate'].filter((one) => !components.has(one))).toEqual([]);
  });

  it('lets no pod be root, write to its image, gain rights or ask the API server', () => {
    for (const workload of all) {
      const { title, pod } = workload;
      expect([title, pod]).toMatchObject([
        title,
        {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        },
      ]);
      expect(Number(pod.securityContext!['runAsUser'])).toBeGreaterThan(0);
      for (const { name: container, securityContext } of containersOf(workload))
        expect([title, container, securityContext]).toEqual([
          title,
          container,
          { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        ]);
    }
  });

  it('bounds what every container takes', () => {
    for (const workload of all)
      for (const { name: container, resources } of containersOf(workload)) {
        expect([workload.title, container, resources.requests['cpu'], resources.requests['memory']]).not.toContain(
          undefined,
        );
        expect([workload.title, container, resources.limits['memory']]).not.toContain(undefined);
      }
  });

  it('mounts only what there is, and what is not read-only', () => {
    for (const { title, pod, spec } of all) {
      const volumes = [...(pod.volumes ?? []), ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)];
      const mounted = [...pod.containers, ...(pod.initContainers ?? [])].flatMap(
        ({ volumeMounts = [] }) => volumeMounts,
      );
      expect([title, [...new Set(mounted.map((one) => one.name))].sort()]).toEqual([
        title,
        volumes.map((one) => one.name).sort(),
      ]);
    }
  });

  it('has an account for every pod that names one', () => {
    const made = objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
    for (const { title, pod } of all)
      if (pod.serviceAccountName !== undefined && pod.serviceAccountName !== 'default')
        expect([title, made]).toEqual([title, expect.arrayContaining([pod.serviceAccountName])]);
  });

  it('asks for the event loop alone whether a process lives, and for this process alone whether it is ready', () => {
    for (const { title, pod } of processes) {
      const { livenessProbe, readinessProbe, startupProbe } = pod.containers[0]!;
      const asked = [livenessProbe, readinessProbe, startupProbe].map((probe) => probe?.httpGet);
      expect([title, asked]).toEqual([
        title,
        [
          { path: '/live', port: 'http' },
          { path: '/api/ready', port: 'http' },
          { path: '/api/ready', port: 'http' },
        ],
      ]);
      // Draining for a tenth of the grace, in which it has to be noticed.
      expect(readinessProbe!.timeoutSeconds!).toBeLessThanOrEqual(readinessProbe!.periodSeconds!);
      expect(startupProbe!.periodSeconds! * startupProbe!.failureThreshold!).toBeGreaterThanOrEqual(30);
    }
  });

  it('kills no process before its grace is over', () => {
    for (const workload of processes) {
      const { title, pod } = workload;
      const preStop = pod.containers[0]!.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const needed = preStop + configOf(workload, objects).SHUTDOWN_GRACE_MS / 1_000 + MARGIN;
      expect([title, pod.terminationGracePeriodSeconds! >= needed]).toEqual([title, true]);
    }
  });

  it('replaces pods of the platform one after another, none before the next is there', () => {
    for (const { title, spec } of processes)
      expect([title, spec.strategy?.rollingUpdate?.maxUnavailable]).toEqual([title, 0]);
  });

  it('runs images that the Dockerfile makes', () => {
    const images = [...processes, ...all.filter(({ component }) => component === 'migrate')].flatMap(({ pod }) =>
      pod.containers.map(({ image }) => /([^/:@]+)[:@][^/]+$/.exec(image)![1]!),
    );
    expect([...new Set(images)].sort()).toEqual(['stockyard-api', 'stockyard-metrics', 'stockyard-worker']);
    // The same names as docker-compose.yml has: stockyard-TARGET.
    if (!existsSync('Dockerfile')) return;
    const targets = [...readFileSync('Dockerfile', 'utf8').matchAll(/^FROM .+ AS (\S+)$/gim)].map((match) => match[1]!);
    expect(targets).toEqual(expect.arrayContaining(images.map((image) => image.slice('stockyard-'.length))));
    const [, user] = /^USER (\d+)(?::\d+)?$/m.exec(readFileSync('Dockerfile', 'utf8'))!;
    for (const { title, pod } of processes)
      expect([title, String(pod.securityContext!['runAsUser'])]).toEqual([title, user]);
  });

  it('starts programs that there are', () => {
    const [migrate] = all.filter(({ component }) => component === 'migrate');
    const [, program] = migrate!.pod.containers[0]!.command!;
    expect(existsSync(program!.replace(/^dist\//, '').replace(/\.js$/, '.ts'))).toBe(true);
  });
});

it('gives the api what the design says where nothing else is said', () => {
  const objects = readObjects(readFileSync(snapshotPath('minimal'), 'utf8'));
  const [api] = processesOf(objects).filter(({ component }) => component === 'api');
  expect(api!.pod.containers[0]!.resources).toEqual({
    requests: { cpu: '250m', memory: '256Mi' },
    limits: { cpu: '500m', memory: '512Mi' },
  });
});
