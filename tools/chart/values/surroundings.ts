/** The values of what the processes stand on, and of who may reach them and watch them. */
import Type, { type TProperties } from 'typebox';
import {
  address,
  anObject,
  annotations,
  flag,
  labels,
  listOf,
  objectName,
  objects,
  oneOf,
  PLACEMENT,
  section,
  shared,
  text,
  whole,
} from './setting';

const addresses = (description: string) => listOf(address, description);

export const DATABASE = section(
  {
    name: Type.String({ pattern: '^[a-z_][a-z0-9_]{0,62}$', description: 'Name of the database on every shard.' }),
    hosts: addresses('Servers of the home shard; each may be, or become, its primary.'),
    replicas: addresses('Replicas of the home shard that only serve reads.'),
    shards: Type.Object(
      {},
      {
        propertyNames: Type.String({ pattern: '^[a-z][a-z0-9-]{0,12}$', not: { const: 'main' } }),
        additionalProperties: section(
          {
            hosts: Type.Array(address, { minItems: 1, description: 'Servers of the shard.' }),
            replicas: Type.Optional(addresses('Replicas that only serve reads.')),
          },
          'A shard.',
        ),
        description: 'Further shards, by name.',
      },
    ),
    parameters: Type.String({ pattern: '^[^?#\\s]*$', description: 'Query of the URLs.' }),
  },
  'Postgres, without logins.',
);

/** A URL with a login is a secret. */
const redisUrl = (description: string) =>
  Type.String({ pattern: '^(rediss?://[^@\\s]+)?$', description: `${description} Without a login.` });

export const REDIS = section(
  {
    queueUrl: redisUrl('Queues, coordination and transport; must not evict.'),
    cacheUrl: redisUrl('Cache; may evict. Empty: queueUrl.'),
    limitsUrl: redisUrl('Rate limits. Empty: cacheUrl.'),
    urlsInSecret: flag('The URLs are keys of secrets.existingSecret.'),
  },
  'Redis.',
);

const url = (description: string) => Type.String({ pattern: '^(https?://\\S+)?$', description });
const size = Type.String({ pattern: '^[1-9][0-9]*(Mi|Gi|Ti)$', description: 'Size of a volume.' });

export const STORAGE = section(
  {
    s3: section(
      {
        bucket: Type.String({ pattern: '^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$', description: 'Name of the bucket.' }),
        endpoint: url('Address of the store. Empty: AWS.'),
        linkEndpoint: url('Address in links. Empty: endpoint.'),
        region: Type.String({ pattern: '^[a-z0-9-]{1,40}$', description: 'Region of the bucket.' }),
        pathStyle: flag('The bucket is the first part of the path.'),
      },
      'A bucket of an S3-compatible store.',
    ),
    claim: section(
      {
        existingClaim: objectName('A claim that is there.'),
        create: flag('Whether one is made.'),
        accessMode: oneOf(['ReadWriteMany', 'ReadWriteOnce'], 'ReadWriteOnce has all pods on one node.'),
        storageClassName: objectName('Class of the volume.'),
        size,
      },
      'A volume, where there is no bucket.',
    ),
  },
  'Where files are.',
);

export const PGBOUNCER = section(
  {
    enabled: flag('Whether there is one for each server.'),
    image: text('Image with PgBouncer 1.21 or newer and a shell.'),
    replicas: whole(1, 'Pods of each.'),
    clients: Type.Array(Type.Enum(['api', 'worker', 'metrics']), {
      minItems: 1,
      uniqueItems: true,
      description: 'Processes that go through it.',
    }),
    poolSize: whole(1, 'Server connections of a role and database, in each pod.'),
    maxClientConnections: whole(1, 'Client connections of a pod.'),
    maxPreparedStatements: whole(1, 'Prepared statements kept for each server connection.'),
    serverTlsMode: oneOf(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'], 'TLS to Postgres.'),
    settings: Type.Object(
      {},
      { additionalProperties: Type.Union([Type.String(), Type.Number()]), description: 'More of pgbouncer.ini.' },
    ),
    resources: shared('resources', 'Requests and limits.'),
    ...PLACEMENT,
  },
  'A pooler between processes and Postgres.',
);

const server = (more: TProperties) =>
  section(
    {
      enabled: flag('Whether it comes with the release.'),
      image: text('Image.'),
      storage: size,
      resources: shared('resources', 'Requests and limits.'),
      ...more,
    },
    'One server, to try the platform.',
  );

export const BUNDLED = section(
  {
    postgres: server({
      settings: Type.Object(
        {},
        {
          additionalProperties: Type.Union([Type.String(), Type.Number()]),
          description: 'Settings by their own names.',
        },
      ),
    }),
    redis: server({
      maxMemory: Type.String({ pattern: '^[1-9][0-9]*(mb|gb)$', description: 'maxmemory of each.' }),
    }),
  },
  'Servers to try the platform. Not for production.',
);

const ports = listOf(whole(1, 'A port.', 65_535), 'Ports.');
const service = (description: string) => section({ to: objects('Peers. Empty: any address.'), ports }, description);

export const NETWORK_POLICY = section(
  {
    enabled: flag('Whether what is not said here is refused.'),
    clients: objects('Peers that send requests to the api.'),
    prometheus: objects('Peers that scrape.'),
    dashboard: objects('Peers that look at the dashboard.'),
    nameServers: objects('Peers that resolve names. Empty: any.'),
    postgres: service('Postgres outside of the release.'),
    redis: service('Redis outside of the release.'),
    objectStore: service('The object store.'),
    tracing: service('The collector of traces.'),
    outside: section(
      {
        ports,
        ipv6: flag('Public IPv6 addresses too.'),
        except: listOf(Type.String(), 'Blocks that are not public.'),
      },
      'Systems that tenants name.',
    ),
    extraEgress: objects('More rules, as Kubernetes has them.'),
  },
  'Who talks to whom.',
);

export const KEDA = section(
  {
    prometheusUrl: url('Prometheus, as KEDA reaches it.'),
    pollingInterval: whole(1, 'Seconds between two looks.'),
    cooldownPeriod: whole(0, 'Seconds before the last pods go; only where minReplicas is 0.'),
    bearerToken: section(
      { existingSecret: objectName('Empty: none is sent.'), key: text('Key in it.') },
      'Where Prometheus wants one.',
    ),
  },
  'How KEDA asks.',
);

export const MONITORING = section(
  {
    labels: labels('Labels by which Prometheus chooses monitors and rules.'),
    serviceMonitor: section(
      { enabled: flag('Whether there is one.'), interval: text('Between scrapes.'), scrapeTimeout: text('Of one.') },
      'What is scraped.',
    ),
    prometheusRule: section({ enabled: flag('Whether there is one.') }, 'Alerts and recording rules.'),
    dashboards: section(
      {
        enabled: flag('Whether there are ConfigMaps.'),
        namespace: objectName('Empty: that of the release.'),
        labels: labels('By which the sidecar of Grafana finds them.'),
        annotations: annotations('Such as the folder.'),
      },
      'Dashboards of Grafana.',
    ),
    adapterRules: section(
      { enabled: flag('Whether there is a ConfigMap.'), namespace: objectName('Empty: that of the release.') },
      'Rules of prometheus-adapter.',
    ),
  },
  'Objects for those who watch.',
);

export const SECURITY_CONTEXT = anObject('securityContext of the containers.');
