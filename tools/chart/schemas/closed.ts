/**
 * Published schemas made strict: they name the fields that there are and let any other by, which the API server refuses (field
 * validation "Strict") or drops.
 */

export interface Schema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly $ref?: string;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity */
const QUANTITY = '^[+-]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$';

/** A whole number or a name; a quantity may be written as a number too. */
const REPLACED: Readonly<Record<string, Schema>> = {
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: ['integer', 'string'] as unknown as string },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': {
    type: ['number', 'string'] as unknown as string,
    pattern: QUANTITY,
  },
};

export function closed(schema: Schema): Schema {
  const all = Object.fromEntries(Object.entries(schema).map(([keyword, value]) => [keyword, inner(keyword, value)]));
  // Formats of Kubernetes are not those of JSON schemas; integers are held by their type.
  delete all['format'];
  if (schema['x-kubernetes-int-or-string'] === true)
    return { ...all, type: ['integer', 'string'] as unknown as string };
  const isOpen = schema.additionalProperties !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true;
  return schema.properties && !isOpen ? { ...all, additionalProperties: false } : all;
}

function inner(keyword: string, value: unknown): unknown {
  if (keyword === 'properties') return mapped(value as Readonly<Record<string, Schema>>, closed);
  if (keyword === 'anyOf' || keyword === 'oneOf' || keyword === 'allOf') return (value as Schema[]).map(closed);
  // As Go writes it; JavaScript has such modifiers around a part alone.
  if (keyword === 'pattern' && (value as string).includes('(?i)'))
    return `(?i:${(value as string).replace('(?i)', '')})`;
  if (keyword === 'items' || (keyword === 'additionalProperties' && typeof value === 'object'))
    return closed(value as Schema);
  return value;
}

export const closedDefinitions = (definitions: Readonly<Record<string, Schema>>): Record<string, Schema> =>
  Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, REPLACED[name] ?? closed(schema)]));

const mapped = (all: Readonly<Record<string, Schema>>, change: (schema: Schema) => Schema): Record<string, Schema> =>
  Object.fromEntries(Object.entries(all).map(([name, schema]) => [name, change(schema)]));
