/** `values.schema.json` of the chart: helm refuses what does not fit before it renders anything. */
import Type from 'typebox';
import { environment } from './environment';
import { API, BEHAVIOR, METRICS, MIGRATIONS, POD_SECURITY, WORKER } from './processes';
import { annotations, flag, labels, objectName, objects, oneOf, RESOURCES, section, shared, text } from './setting';
import {
  BUNDLED,
  DATABASE,
  KEDA,
  MONITORING,
  NETWORK_POLICY,
  PGBOUNCER,
  REDIS,
  SECURITY_CONTEXT,
  STORAGE,
} from './surroundings';

const VALUES = section(
  {
    global: Type.Optional(Type.Object({}, { description: 'Of a chart around this one; not read.' })),
    nameOverride: objectName('Instead of the name of the chart.'),
    fullnameOverride: objectName('Instead of release and name.'),
    commonLabels: labels('On every object.'),
    image: section(
      {
        registry: text('Before the names of the images.'),
        tag: Type.String({ pattern: '^[A-Za-z0-9_.-]{0,128}$', description: 'Empty: the appVersion.' }),
        pullPolicy: oneOf(['Always', 'IfNotPresent', 'Never'], 'When images are pulled.'),
        pullSecrets: objects('Such as [{name: registry}].'),
      },
      'What the images have in common.',
    ),
    secrets: section(
      { existingSecret: Type.String({ minLength: 1, description: 'The secret of the processes.' }) },
      'Secrets by reference.',
    ),
    database: DATABASE,
    redis: REDIS,
    storage: STORAGE,
    config: shared('environment', 'Environment of all processes, by the names of the README.'),
    listenAddress: text('Address that the processes listen on.'),
    serviceAccount: section(
      {
        create: flag('Whether one is made.'),
        name: objectName('Its name.'),
        annotations: annotations('Such as a role of the cloud.'),
      },
      'Of the processes; its token is not mounted.',
    ),
    podSecurityContext: POD_SECURITY,
    containerSecurityContext: SECURITY_CONTEXT,
    extraVolumes: objects('Volumes of every pod of the platform.'),
    extraVolumeMounts: objects('Where they are.'),
    podDisruptionBudgets: flag('One pod of a kind at a time when nodes are drained.'),
    api: API,
    worker: WORKER,
    metrics: METRICS,
    migrations: MIGRATIONS,
    autoscalingMatchers: text('Label matchers of the autoscalers’ queries; a template.'),
    keda: KEDA,
    pgbouncer: PGBOUNCER,
    bundled: BUNDLED,
    networkPolicy: NETWORK_POLICY,
    monitoring: MONITORING,
  },
  'Values of the Stockyard chart.',
);

export const VALUES_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Stockyard',
  ...VALUES,
  $defs: { environment: environment(), behavior: BEHAVIOR, resources: RESOURCES },
};
