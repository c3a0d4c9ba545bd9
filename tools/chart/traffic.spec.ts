/** Who finds whom, who may talk to whom, and what may be taken away at once. */
import { readFileSync } from 'node:fs';
import { Policies } from './rendered/network';
import { type KubernetesObject, type Labels, readObjects, titleOf } from './rendered/objects';
import { type Selector, selects, type Workload, workloadsOf } from './rendered/pods';
import { snapshotPath, VALUE_SETS } from './rendered/value-sets';

interface ServiceSpec {
  readonly selector: Labels;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string | number }[];
}
interface Budget {
  readonly selector: Selector;
  readonly maxUnavailable?: number;
  readonly minAvailable?: number;
}
interface IngressSpec {
  readonly tls?: readonly { readonly hosts: readonly string[] }[];
  readonly rules: readonly {
    readonly host: string;
    readonly http: {
      readonly paths: readonly {
        readonly path: string;
        readonly pathType: string;
        readonly backend: { readonly service: { readonly name: string; readonly port: { readonly name: string } } };
      }[];
    };
  }[];
}
interface MonitorSpec {
  readonly selector: Selector;
  readonly endpoints: readonly { readonly port: string; readonly path: string }[];
}

/** Labels that differ from one release to the next, or between objects that are the same thing: no selector may hold them. */
const PASSING = ['app.kubernetes.io/version', 'helm.sh/chart', 'app.kubernetes.io/managed-by'];

describe.each([...VALUE_SETS.keys()])('with %s', (name) => {
  const objects = readObjects(readFileSync(snapshotPath(name), 'utf8'));
  const workloads = workloadsOf(objects);
  const ofKind = <T>(kind: string): { title: string; object: KubernetesObject; spec: T }[] =>
    objects
      .filter((one) => one.kind === kind)
      .map((object) => ({ title: titleOf(object), object, spec: object.spec as T }));
  const selected = (selector: Selector): Workload[] => workloads.filter(({ labels }) => selects(selector, labels));
  const services = ofKind<ServiceSpec>('Service');

  it('names no object twice, and each so that it can be a host name', () => {
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`);
    expect(names.filter((one, at) => names.indexOf(one) !== at)).toEqual([]);
    for (const { metadata } of objects) expect(metadata.name).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
  });

  it('labels every object alike', () => {
    for (const object of objects) {
      expect([titleOf(object), object.metadata.labels]).toEqual([
        titleOf(object),
        expect.objectContaining({
          'app.kubernetes.io/name': 'stockyard',
          'app.kubernetes.io/instance': 'shop',
          'app.kubernetes.io/part-of': 'stockyard',
        }),
      ]);
    }
  });

  it('selects by labels that last, and each workload its own pods alone', () => {
    for (const { title, spec, labels } of workloads) {
      if (spec.selector === undefined) continue;
      expect([title, selects(spec.selector, labels)]).toEqual([title, true]);
      expect(Object.keys(spec.selector.matchLabels!).filter((label) => PASSING.includes(label))).toEqual([]);
      expect([title, selected(spec.selector).map((one) => one.title)]).toEqual([title, [title]]);
    }
  });

  it('has pods of one component behind each Service, with the port that it names', () => {
    for (const { title, spec } of services) {
      const behind = selected({ matchLabels: spec.selector });
      expect([title, new Set(behind.map(({ component }) => component)).size]).toEqual([title, 1]);
      for (const { targetPort } of spec.ports)
        for (const { pod } of behind)
          expect([title, pod.containers.flatMap(({ ports = [] }) => ports.map((port) => port.name))]).toEqual([
            title,
            expect.arrayContaining([targetPort]),
          ]);
    }
  });

  it('leads from outside to ports of Services that there are, with certificates for their hosts', () => {
    for (const { title, spec } of ofKind<IngressSpec>('Ingress')) {
      for (const { http } of spec.rules)
        for (const { backend } of http.paths) {
          const service = services.find(({ object }) => object.metadata.name === backend.service.name);
          expect([title, service?.spec.ports.map((port) => port.name)]).toEqual([
            title,
            expect.arrayContaining([backend.service.port.name]),
          ]);
        }
      expect(spec.rules.length).toBeGreaterThan(0);
      const hosts = spec.rules.map(({ host }) => host);
      expect([title, spec.tls?.flatMap((one) => one.hosts) ?? hosts]).toEqual([title, hosts]);
    }
  });

  it('lets nobody in from outside to what is for the cluster', () => {
    const inside = ['/metrics', '/live', '/ready', '/api/ready'];
    for (const { title, spec } of ofKind<IngressSpec>('Ingress'))
      for (const { path, pathType } of spec.rules.flatMap(({ http }) => http.paths)) {
        const leadsTo = (to: string) => to === path || (pathType === 'Prefix' && `${to}/`.startsWith(`${path}/`));
        expect([title, path, pathType === 'Prefix' && path === '/', inside.filter(leadsTo)]).toEqual([
          title,
          path,
          false,
          [],
        ]);
      }
  });

  it('has every process scraped where its metrics are', () => {
    for (const { spec } of ofKind<MonitorSpec>('ServiceMonitor')) {
      const scraped = services.filter(({ object }) => selects(spec.selector, object.metadata.labels!));
      const components = scraped.flatMap((one) => selected({ matchLabels: one.spec.selector }));
      expect([...new Set(components.map(({ component }) => component))].sort()).toEqual(['api', 'metrics', 'worker']);
      for (const { spec: service } of scraped)
        expect(service.ports.map((port) => port.name)).toEqual(spec.endpoints.map(({ port }) => port));
      expect(spec.endpoints.map(({ path }) => path)).toEqual(['/metrics']);
    }
  });

  it('lets one pod go at a time, whoever there is', () => {
    const budgets = ofKind<Budget>('PodDisruptionBudget');
    for (const { title, spec } of budgets) {
      const [workload, ...others] = selected(spec.selector);
      expect([title, workload?.title, others]).toEqual([title, expect.any(String), []]);
      // A least number that equals the replicas would never let a node go.
      expect([title, spec.maxUnavailable, spec.minAvailable]).toEqual([title, 1, undefined]);
    }
    const covered = workloads.filter(({ labels }) => budgets.some(({ spec }) => selects(spec.selector, labels)));
    const deployed = workloads.filter(({ object }) => object.kind === 'Deployment');
    expect(covered).toEqual(budgets.length === 0 ? [] : deployed);
  });

  it('spreads the pods of each Deployment over zones and nodes, counting its own alone', () => {
    for (const { title, object, labels, pod } of workloads.filter((one) => one.object.kind === 'Deployment')) {
      expect(object.kind).toBe('Deployment');
      const spread = pod.topologySpreadConstraints ?? [];
      const apart = pod.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
      expect([title, spread.map(({ topologyKey }) => topologyKey)]).toEqual([title, ['topology.kubernetes.io/zone']]);
      const selectors = [...spread, ...apart.map(({ podAffinityTerm }) => podAffinityTerm)].map(
        (one) => one.labelSelector,
      );
      for (const selector of selectors) {
        expect([title, selects(selector, labels)]).toEqual([title, true]);
        expect([title, selected(selector).map((one) => one.component)]).toEqual([
          title,
          selected(selector).map(() => labels['app.kubernetes.io/component']),
        ]);
      }
    }
  });

  describe('its policies', () => {
    const policies = new Policies(objects);
    const pods = (component: string) => workloads.filter((one) => one.component === component);
    const [api, worker, metrics, migrate] = ['api', 'worker', 'metrics', 'migrate'].map((one) => pods(one)[0]!);
    const monitoring = { namespace: { 'kubernetes.io/metadata.name': 'monitoring' }, labels: {} };
    const ingress = { namespace: { 'kubernetes.io/metadata.name': 'ingress-nginx' }, labels: {} };
    const stranger = { namespace: { 'kubernetes.io/metadata.name': 'else' }, labels: {} };
    const nameServer = { namespace: { 'kubernetes.io/metadata.name': 'kube-system' }, labels: {} };

    if (!policies.areThere) return;

    it('let processes reach what they need, and nobody else reach it', () => {
      for (const { component, port } of [
        { component: 'postgres', port: 5432 },
        { component: 'redis-queue', port: 6379 },
        { component: 'redis-cache', port: 6379 },
        { component: 'pgbouncer', port: 6432 },
      ])
        for (const target of pods(component)) {
          const callers = workloads.filter((one) => policies.allow(one, target, port)).map((one) => one.component);
          expect([target.title, [...new Set(callers)].sort()]).toEqual([target.title, callersOf(component, workloads)]);
          for (const other of [monitoring, ingress, stranger]) expect(policies.allow(other, target, port)).toBe(false);
        }
    });

    it('let everybody resolve names, over both protocols', () => {
      for (const { title, labels } of workloads)
        for (const protocol of ['UDP', 'TCP'])
          expect([title, policies.allow({ labels }, nameServer, 53, protocol)]).toEqual([title, true]);
    });

    it('let requests come in from the ingress controller to the api alone, and scrapes to each process', () => {
      expect(policies.allow(ingress, api!, 3000)).toBe(true);
      expect(policies.allow(ingress, worker!, 3001)).toBe(false);
      for (const [target, port] of [
        [api!, 3000],
        [worker!, 3001],
        [metrics!, 3002],
      ] as const) {
        expect(policies.allow(monitoring, target, port)).toBe(true);
        expect(policies.allow(stranger, target, port)).toBe(false);
        expect(policies.allow(monitoring, target, port + 10)).toBe(false);
      }
    });

    it('let only the worker ask systems that tenants name, and only public ones', () => {
      expect(policies.allow(worker!, { outside: 'public' }, 443)).toBe(true);
      expect(policies.allow(metrics!, { outside: 'public' }, 25)).toBe(false);
      expect(policies.allow(worker!, { outside: 'public' }, 25)).toBe(false);
    });

    it('let migrations reach Postgres alone', () => {
      const elsewhere = [
        { outside: 'private' } as const,
        { namespace: { 'kubernetes.io/metadata.name': 'databases' } },
      ];
      const servers = pods('postgres')[0] ? [pods('postgres')[0]!] : elsewhere;
      expect(servers.some((server) => policies.allow(migrate!, server, 5432))).toBe(true);
      expect(policies.allow(migrate!, { outside: 'public' }, 443)).toBe(false);
      expect(policies.allow(migrate!, pods('redis-queue')[0] ?? { outside: 'private' }, 6379)).toBe(false);
      for (const other of [monitoring, ingress, api!]) expect(policies.allow(other, migrate!, 3000)).toBe(false);
    });
  });
});

/** PgBouncer has only those that go through it; the servers have each process and what stands before them. */
function callersOf(component: string, workloads: readonly Workload[]): string[] {
  const processes = ['api', 'metrics', 'worker'];
  if (component.startsWith('redis')) return processes;
  if (component === 'postgres')
    return [
      ...processes,
      'migrate',
      ...workloads
        .filter((one) => one.component === 'pgbouncer')
        .slice(0, 1)
        .map(() => 'pgbouncer'),
    ].sort();
  return workloads
    .filter(({ component: one, pod }) => processes.includes(one) && JSON.stringify(pod).includes(':6432'))
    .map((one) => one.component)
    .filter((one, at, all) => all.indexOf(one) === at)
    .sort();
}
