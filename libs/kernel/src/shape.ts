/**
 * Shape: one TypeBox schema compiled once, from which come the static type, the validation of input (as a Standard
 * Schema, which Nest's pipe takes) and the JSON Schema that OpenAPI shows.
 */
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/** One thing wrong with an input. `path` is the field as a client writes it: `lines[2].quantity`. */
export interface ShapeIssue {
  readonly message: string;
  readonly code: 'unknown_field' | 'missing_field' | 'invalid_value';
  readonly path: readonly PropertyKey[];
  readonly param: string;
}

type Validated<T> = { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly ShapeIssue[] };

export interface Shape<T> {
  readonly schema: TSchema;
  /** The value when it has the shape; issues otherwise. Never throws. */
  validate(value: unknown): Validated<T>;
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: 'stockyard';
    readonly types?: { readonly input: T; readonly output: T } | undefined;
    validate(value: unknown): Validated<T>;
    readonly jsonSchema: { input(): Record<string, unknown>; output(): Record<string, unknown> };
  };
}

/** The static type of a shape. */
export type ShapeType<S> = S extends Shape<infer T> ? T : never;

interface ShapeOptions {
  /** Values arrive as text (query, path): numbers and booleans are converted, defaults are filled in. */
  readonly text?: boolean;
}

const MAX_ISSUES = 20;

function segments(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function fieldName(path: readonly string[]): string {
  return path.reduce((text, part) => (/^\d+$/.test(part) ? `${text}[${part}]` : text ? `${text}.${part}` : part), '');
}

interface ValidationError {
  keyword: string;
  instancePath: string;
  message: string;
  params: Record<string, unknown>;
}

function issue(path: readonly string[], code: ShapeIssue['code'], message: string): ShapeIssue {
  const param = fieldName(path);
  return { path, code, param, message: param ? `${param} ${message}.` : `The value ${message}.` };
}

function toIssues(error: ValidationError): ShapeIssue[] {
  const path = segments(error.instancePath);
  if (error.keyword === 'additionalProperties') {
    const names = error.params.additionalProperties as string[];
    return names.map((name) => issue([...path, name], 'unknown_field', 'is not a field of this request; remove it'));
  }
  if (error.keyword === 'required') {
    const names = error.params.requiredProperties as string[];
    return names.map((name) => issue([...path, name], 'missing_field', 'is required'));
  }
  return [issue(path, 'invalid_value', error.message)];
}

/** Compiles a schema. Objects must be closed (`additionalProperties: false`) to refuse unknown fields. */
export function shape<S extends TSchema>(schema: S, options: ShapeOptions = {}): Shape<Static<S>> {
  const compiled = Compile(schema);
  const validate = (input: unknown): Validated<Static<S>> => {
    const value = options.text ? compiled.Default(compiled.Convert(structuredClone(input ?? {}))) : input;
    if (compiled.Check(value)) return { value: value as Static<S> };
    const errors = compiled.Errors(value) as unknown as ValidationError[];
    const issues = errors.flatMap(toIssues).slice(0, MAX_ISSUES);
    // The deepest fault says most: `lines[0].quantity` rather than `lines` of a union that did not match.
    return { issues: issues.sort((a, b) => b.path.length - a.path.length) };
  };
  const jsonSchema = () => structuredClone(schema) as unknown as Record<string, unknown>;
  return {
    schema,
    validate,
    '~standard': { version: 1, vendor: 'stockyard', validate, jsonSchema: { input: jsonSchema, output: jsonSchema } },
  };
}
