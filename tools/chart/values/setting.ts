/** The kinds of values that many settings of the chart are. Every object is closed: a misspelt key is refused, not ignored. */
import Type, { type TProperties, type TSchema } from 'typebox';

export const section = <T extends TProperties>(properties: T, description: string) =>
  Type.Object(properties, { additionalProperties: false, description });

export const whole = (minimum: number, description: string, maximum?: number) =>
  Type.Integer({ minimum, ...(maximum !== undefined && { maximum }), description });

export const percent = (description: string) => whole(1, description, 100);
export const flag = (description: string) => Type.Boolean({ description });
export const text = (description: string) => Type.String({ description });
export const listOf = <T extends TSchema>(of: T, description: string) => Type.Array(of, { description });
export const oneOf = (choices: string[], description: string) => Type.Enum(choices, { description });

const NAME = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';

/** Name of an object of Kubernetes. */
export const objectName = (description: string) =>
  Type.String({ pattern: `^(${NAME}(\\.${NAME})*)?$`, maxLength: 253, description });

export const labels = (description: string) =>
  Type.Object({}, { additionalProperties: Type.String({ maxLength: 63 }), description });
export const annotations = (description: string) =>
  Type.Object({}, { additionalProperties: Type.String(), description });

/** Handed to Kubernetes as it is, which knows its shape. */
export const anObject = (description: string) => Type.Object({}, { description });
export const objects = (description: string) => Type.Array(Type.Object({}), { description });

/** `host:port`, without a login. */
export const address = Type.String({ pattern: '^[A-Za-z0-9._-]+:[0-9]{1,5}$', description: 'host:port.' });

export const image = (description: string) =>
  section(
    {
      repository: Type.String({ minLength: 1, description: 'Name of the image, after image.registry.' }),
      digest: Type.String({ pattern: '^(sha256:[0-9a-f]{64})?$', description: 'Wins over the tag.' }),
    },
    description,
  );

const MEMORY = '^[1-9][0-9]*(Mi|Gi)$';
const CPU = '^([1-9][0-9]*m|[1-9][0-9]*(\\.[0-9]+)?|0\\.[0-9]*[1-9])$';

const quantities = (description: string) =>
  section(
    {
      cpu: Type.Optional(Type.Union([Type.String({ pattern: CPU }), Type.Number({ exclusiveMinimum: 0 })])),
      memory: Type.Optional(Type.String({ pattern: MEMORY })),
    },
    description,
  );

/** Requests and limits of a container. */
export const RESOURCES = section(
  {
    requests: Type.Optional(quantities('What the scheduler keeps free.')),
    limits: Type.Optional(quantities('What it may use at most. Memory in whole Mi or Gi.')),
  },
  'Requests and limits of a container.',
);

/** Of the processes: the heap of Node and a target of the autoscaler follow from the memory limit. */
export const PROCESS_RESOURCES = Type.Unsafe<unknown>({
  $ref: '#/$defs/resources',
  description: 'Requests and limits of a container; the memory limit is needed.',
  required: ['limits'],
  properties: { limits: { type: 'object', required: ['memory'] } },
});

/** Where pods run. */
export const PLACEMENT = {
  priorityClassName: objectName('Priority class of the pods.'),
  nodeSelector: labels('Labels of the nodes.'),
  tolerations: objects('Taints that are tolerated.'),
  affinity: anObject('Instead of the preference for nodes without a pod of this kind.'),
  zoneSpread: oneOf(['ScheduleAnyway', 'DoNotSchedule'], 'What counts more when zones cannot be used evenly.'),
};

/** A shape that stands once in the schema, under this name. */
export const shared = (name: 'environment' | 'behavior' | 'resources', description: string) =>
  Type.Unsafe<unknown>({ $ref: `#/$defs/${name}`, description });
