/** The pods of rendered objects: Deployments, StatefulSets and Jobs. */
import { type KubernetesObject, type Labels, titleOf } from './objects';

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  };
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
  readonly tcpSocket?: { readonly port: string | number };
  readonly exec?: { readonly command: readonly string[] };
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly resources: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string | number>>>>;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds?: number;
  readonly topologySpreadConstraints?: readonly {
    readonly topologyKey: string;
    readonly labelSelector: Selector;
  }[];
  readonly affinity?: {
    readonly podAntiAffinity?: {
      readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
        readonly podAffinityTerm: { readonly labelSelector: Selector; readonly topologyKey: string };
      }[];
    };
  };
  readonly volumes?: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
    readonly persistentVolumeClaim?: { readonly claimName: string };
  }[];
}

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

interface WorkloadSpec {
  readonly replicas?: number;
  readonly selector?: Selector;
  readonly strategy?: { readonly rollingUpdate?: { readonly maxUnavailable?: unknown } };
  readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
}

export interface Workload {
  readonly title: string;
  readonly object: KubernetesObject;
  readonly spec: WorkloadSpec;
  readonly labels: Labels;
  readonly pod: PodSpec;
  /** `api`, `worker`, `metrics`, `migrate`, `pgbouncer` … */
  readonly component: string;
}

const KINDS = ['Deployment', 'StatefulSet', 'Job'];

export function workloadsOf(objects: readonly KubernetesObject[]): Workload[] {
  return objects
    .filter(({ kind }) => KINDS.includes(kind))
    .map((object) => {
      const spec = object.spec as WorkloadSpec;
      const { labels } = spec.template.metadata;
      const component = labels['app.kubernetes.io/component'] ?? '';
      return { title: titleOf(object), object, spec, labels, pod: spec.template.spec, component };
    });
}

/** The processes of the platform, which have a container each. */
export const PROCESSES = ['api', 'worker', 'metrics'] as const;

export const processesOf = (objects: readonly KubernetesObject[]): Workload[] =>
  workloadsOf(objects).filter(({ component }) => (PROCESSES as readonly string[]).includes(component));

export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  const isSo = (one: NonNullable<Selector['matchExpressions']>[number]): boolean => {
    if (one.operator === 'In') return one.values!.includes(labels[one.key] ?? '');
    throw new Error(`The specs do not know the operator ${one.operator} of a selector.`);
  };
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) && matchExpressions.every(isSo);
}
