/** Holds objects against the published schema of their kind, strictly. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Compile, type Validator } from 'typebox/schema';
import { parse } from 'yaml';
import type { KubernetesObject } from '../rendered/objects';
import { closed, closedDefinitions, type Schema } from './closed';
import { moduleDirectories } from './modules';

interface CustomResource {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

interface Swagger {
  readonly definitions: Readonly<Record<string, Schema>>;
}

const GROUP_VERSION_KIND = 'x-kubernetes-group-version-kind';
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

export class PublishedSchemas {
  private readonly definitions: Readonly<Record<string, Schema>>;
  private readonly kinds = new Map<string, Schema>();
  private readonly validators = new Map<string, Validator>();

  constructor(directories = moduleDirectories()) {
    const swagger = JSON.parse(
      readFileSync(join(directories.kubernetes, 'api/openapi-spec/swagger.json'), 'utf8'),
    ) as Swagger;
    this.definitions = closedDefinitions(swagger.definitions);
    for (const schema of Object.values(this.definitions)) this.knowKinds(schema);
    this.knowResources(join(directories.keda, 'config/crd/bases'), /^keda\.sh_/);
    this.knowResources(
      join(directories.monitoring, 'example/prometheus-operator-crd'),
      /(rules|servicemonitors)\.yaml$/,
    );
  }

  /** What is wrong with an object; nothing where it is as its kind has it. */
  problems(object: KubernetesObject): string[] {
    const kind = `${object.apiVersion} ${object.kind}`;
    const schema = this.kinds.get(kind);
    if (!schema) return [`${kind} is no kind that is known`];
    const [, errors] = this.validatorOf(kind, schema).Errors(object);
    return [
      // A field that is unknown is told of twice.
      ...errors
        .filter(({ keyword }) => keyword !== 'additionalProperties')
        .map(
          ({ keyword, instancePath, message }) => `${instancePath} ${keyword === 'boolean' ? 'is unknown' : message}`,
        ),
      ...this.repeated(schema, object, ''),
    ];
  }

  private knowKinds(schema: Schema): void {
    const names = (schema[GROUP_VERSION_KIND] ?? []) as { group: string; version: string; kind: string }[];
    for (const { group, version, kind } of names)
      this.kinds.set(`${group === '' ? version : `${group}/${version}`} ${kind}`, schema);
  }

  private knowResources(directory: string, names: RegExp): void {
    for (const name of readdirSync(directory).filter((one) => names.test(one))) {
      const { spec } = parse(readFileSync(join(directory, name), 'utf8')) as CustomResource;
      for (const { name: version, schema } of spec.versions) {
        const resource = closed(schema.openAPIV3Schema);
        const properties = { ...resource.properties, metadata: { $ref: `#/definitions/${OBJECT_META}` } };
        this.kinds.set(`${spec.group}/${version} ${spec.names.kind}`, { ...resource, properties });
      }
    }
  }

  private validatorOf(kind: string, schema: Schema): Validator {
    const known = this.validators.get(kind);
    if (known) return known;
    const definitions = Object.fromEntries(
      [...this.reachable(schema)].map((name): [string, Schema] => [name, this.definitions[name]!]),
    );
    const made = Compile({ ...schema, definitions }) as Validator;
    this.validators.set(kind, made);
    return made;
  }

  private reachable(from: unknown, found = new Set<string>()): Set<string> {
    if (typeof from !== 'object' || from === null) return found;
    for (const [keyword, value] of Object.entries(from)) {
      if (keyword !== '$ref' || typeof value !== 'string') this.reachable(value, found);
      else if (!found.has(nameOf(value))) this.reachable(this.definitions[nameOf(value)], found.add(nameOf(value)));
    }
    return found;
  }

  /** Lists that are maps by some of their fields, such as the variables of a container: each key is there once. */
  private repeated(schema: Schema | boolean | undefined, value: unknown, path: string): string[] {
    if (typeof schema !== 'object' || typeof value !== 'object' || value === null) return [];
    if (schema.$ref) return this.repeated(this.definitions[nameOf(schema.$ref)], value, path);
    if (!Array.isArray(value))
      return Object.entries(value).flatMap(([name, one]) =>
        this.repeated(schema.properties?.[name] ?? schema.additionalProperties, one, `${path}/${name}`),
      );
    const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as string[];
    const names = value.map((one: Record<string, unknown>) => JSON.stringify(keys.map((key) => one[key] ?? null)));
    const twice = keys.length === 0 ? [] : names.filter((name, at) => names.indexOf(name) !== at);
    return [
      ...twice.map((name) => `${path} has ${name} twice`),
      ...value.flatMap((one, at) => this.repeated(schema.items, one, `${path}/${at}`)),
    ];
  }
}

const nameOf = (reference: string): string => reference.slice('#/definitions/'.length);
