/** The values of api, worker, metrics and of the migrations. */
import Type, { type TProperties } from 'typebox';
import {
  anObject,
  annotations,
  flag,
  image,
  labels,
  listOf,
  objectName,
  objects,
  oneOf,
  percent,
  PLACEMENT,
  PROCESS_RESOURCES,
  section,
  shared,
  text,
  whole,
} from './setting';

const CLASSES = ['critical', 'high', 'normal', 'low', 'bulk'];

const step = (description: string, more: TProperties = {}) =>
  section(
    {
      percent: whole(1, 'Of the pods that there were when the period began.'),
      ...more,
      periodSeconds: whole(1, 'Over which the step is reckoned.', 1_800),
      stabilizationSeconds: whole(0, 'For how long the wish has to last.', 3_600),
    },
    description,
  );

export const BEHAVIOR = section(
  {
    up: step('Upwards, by the larger of the two.', { pods: whole(1, 'So many pods.') }),
    down: step('Downwards.'),
  },
  'How fast the autoscaler may go.',
);

const REPLICAS = {
  minReplicas: whole(1, 'Fewest pods.'),
  maxReplicas: whole(1, 'Most pods.'),
};

const POD = {
  resources: PROCESS_RESOURCES,
  heapPercent: percent('Of the memory limit, for the old generation of V8.'),
  config: shared('environment', 'Environment of this process alone; wins over config.'),
  preStopSeconds: whole(0, 'Between leaving the Services and SIGTERM.', 300),
  shutdownGraceSeconds: whole(1, 'SHUTDOWN_GRACE_MS, in seconds.', 600),
  minReadySeconds: whole(0, 'For how long a new pod has to be ready before the next one is replaced.'),
  maxSurge: Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: '^[1-9][0-9]*%$' })], {
    description: 'Pods beyond the wanted number during an upgrade; none is taken away before.',
  }),
  probes: section(
    { timeoutSeconds: whole(1, 'Of each probe.'), startupSeconds: whole(2, 'Longest start.') },
    'Probes of the process alone: /live and /api/ready.',
  ),
  podLabels: labels('More labels of the pods.'),
  podAnnotations: annotations('Annotations of the pods.'),
  ...PLACEMENT,
};

const SERVICE = section(
  {
    type: oneOf(['ClusterIP', 'LoadBalancer', 'NodePort'], 'Kind of the Service.'),
    port: whole(1, 'Port of the Service.', 65_535),
    annotations: annotations('Annotations of the Service.'),
  },
  'The Service.',
);

const INGRESS = section(
  {
    enabled: flag('Whether there is an Ingress.'),
    className: objectName('Class of the controller.'),
    annotations: annotations('For the controller.'),
    hosts: listOf(Type.String({ minLength: 1 }), 'Host names.'),
    tls: objects('Secrets with certificates, as Kubernetes has them.'),
    paths: listOf(
      section(
        {
          path: Type.String({ pattern: '^/', description: 'Begin of the path.' }),
          pathType: oneOf(['Exact', 'Prefix', 'ImplementationSpecific'], 'How it is compared.'),
        },
        'A path.',
      ),
      'What is let in. /metrics, /live and /ready are for the cluster.',
    ),
  },
  'The Ingress.',
);

export const API = section(
  {
    image: image('The image.'),
    replicas: whole(1, 'Pods where autoscaling is off.'),
    autoscaling: section(
      {
        enabled: flag('Whether there is a HorizontalPodAutoscaler.'),
        ...REPLICAS,
        cpuPercentOfRequest: percent('Mean of the pods, of the processor request.'),
        memoryPercentOfLimit: percent('Mean of the pods, of the memory limit.'),
        requestsPerSecond: whole(0, 'Mean of the pods; 0 leaves it out. From prometheus-adapter.'),
        p95Milliseconds: whole(0, 'Mean of the pods; 0 leaves it out. From prometheus-adapter.'),
        behavior: shared('behavior', 'How fast the autoscaler may go.'),
      },
      'The autoscaler of the api.',
    ),
    ...POD,
    service: SERVICE,
    ingress: INGRESS,
  },
  'The api process.',
);

const SLOTS = section(
  Object.fromEntries(CLASSES.map((name) => [name, whole(1, `Jobs of class ${name} at once.`, 1_000)])),
  'Jobs that one worker runs at once.',
);

const OPTIONAL_POD: TProperties = Object.fromEntries(
  Object.entries(POD).map(([name, schema]) => [name, Type.Optional(schema)]),
);

const GROUP = section(
  {
    classes: Type.Array(Type.Enum(CLASSES), { minItems: 1, uniqueItems: true, description: 'Classes that it runs.' }),
    replicas: whole(0, 'Pods where worker.autoscaler is none.'),
    autoscaling: section(
      {
        ...REPLICAS,
        drainSeconds: whole(1, 'What waits in a class is to be done within this time.'),
        queueDepth: whole(1, 'Jobs that wait, for each worker.'),
        cpuPercentOfRequest: whole(0, 'Mean of the pods, of the processor request; 0 leaves it out.', 100),
        behavior: shared('behavior', 'How fast the autoscaler may go.'),
      },
      'The autoscaler of the group.',
    ),
    ...OPTIONAL_POD,
  },
  'A Deployment of workers for some classes.',
);

export const WORKER = section(
  {
    image: image('The image.'),
    autoscaler: oneOf(['keda', 'hpa', 'none'], 'What scales the workers.'),
    slots: SLOTS,
    groups: Type.Object(
      {},
      {
        propertyNames: Type.String({ pattern: '^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$' }),
        additionalProperties: GROUP,
        description: 'By name. null takes one of the defaults away.',
      },
    ),
    ...POD,
  },
  'The worker processes.',
);

export const METRICS = section(
  {
    image: image('The image.'),
    replicas: whole(1, 'Pods; the second is for availability.'),
    ...POD,
    service: SERVICE,
    ingress: INGRESS,
  },
  'The metrics process.',
);

const { nodeSelector, tolerations } = PLACEMENT;

export const MIGRATIONS = section(
  {
    existingSecret: Type.String({ minLength: 1, description: 'Secret with what only `migrate` needs.' }),
    login: section(
      {
        existingSecret: objectName('Empty: DATABASE_URL of migrations.existingSecret.'),
        usernameKey: text('Key of the user.'),
        passwordKey: text('Key of the password.'),
      },
      'User and password of a login that may create roles, where an operator keeps them.',
    ),
    image: image('The image with the program.'),
    command: Type.Array(Type.String(), { minItems: 1, description: 'Program and arguments.' }),
    config: shared('environment', 'Environment of `migrate`.'),
    deadlineSeconds: whole(1, 'Longest run.'),
    resources: shared('resources', 'Requests and limits.'),
    nodeSelector,
    tolerations,
  },
  'The Job that brings the schema to this release.',
);

export const POD_SECURITY = anObject('securityContext of the pods.');
