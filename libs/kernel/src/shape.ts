/**
 * Shape: one TypeBox schema compiled once, from which come the static type, the validation of input (as a Standard
 * Schema, which Nest's pipe takes) and the JSON Schema that OpenAPI shows.
 */
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';

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
  /** A missing body counts as an empty object. */
  readonly optional?: boolean;
}

const MAX_ISSUES = 20;
Settings.Set({ maxErrors: 200 }); // unions report each branch; the one that was meant must be among them

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
  schemaPath: string;
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

/** `…/anyOf/1/…` at one place of the input: the union, and which branch of it an error speaks of. */
const BRANCH = /^(.*\/anyOf)\/(\d+)(?:\/|$)/;

/**
 * Of a union's branches keeps the one that was meant: a branch whose discriminator (a constant, such as `kind`) does
 * not fit is left out while another one fits. Without that, every branch would complain about every field.
 */
function meantBranches(errors: readonly ValidationError[]): ValidationError[] {
  const branchOf = (error: ValidationError): { union: string; branch: string } | undefined => {
    const match = BRANCH.exec(error.schemaPath);
    if (!match) return undefined;
    const [, union, branch] = match;
    const depth = union!.match(/\/properties\/|\/items(?=\/)/g)?.length ?? 0;
    return { union: `${union}@${error.instancePath.split('/', depth + 1).join('/')}`, branch: branch! };
  };
  const seen = new Map<string, Set<string>>();
  const misfits = new Map<string, Set<string>>();
  for (const error of errors) {
    const place = branchOf(error);
    if (!place) continue;
    const add = (map: typeof seen) => map.set(place.union, (map.get(place.union) ?? new Set()).add(place.branch));
    add(seen);
    if (error.keyword === 'const') add(misfits);
  }
  return errors.filter((error) => {
    if (error.keyword === 'boolean') return false; // said again by additionalProperties
    const place = branchOf(error);
    if (!place) return error.keyword !== 'anyOf' || !seen.has(`${error.schemaPath}/anyOf@${error.instancePath}`);
    const wrong = misfits.get(place.union);
    if (!wrong) return true;
    const someFit = wrong.size < (seen.get(place.union)?.size ?? 0);
    return someFit ? !wrong.has(place.branch) : error.keyword === 'const';
  });
}

function distinct(issues: readonly ShapeIssue[]): ShapeIssue[] {
  return [...new Map(issues.map((found) => [`${found.param} ${found.message}`, found])).values()];
}

/** Paths of texts that no database column can hold: with a NUL, or with half of a surrogate pair. */
function unstorable(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? [[...path]] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => unstorable(inner, [...path, key]));
}

/** What was read of texts, but for numbers that a text does not say: `1.5` is no integer, though it could be cut to one. */
function exactly(given: unknown, read: unknown): unknown {
  if (typeof given !== 'object' || given === null || typeof read !== 'object' || read === null) return read;
  for (const [name, value] of Object.entries(read)) {
    const text: unknown = Reflect.get(given, name);
    if (typeof value === 'number' && typeof text === 'string' && Number(text) !== value) Reflect.set(read, name, text);
  }
  return read;
}

/** Compiles a schema. Objects must be closed (`additionalProperties: false`) to refuse unknown fields. */
export function shape<S extends TSchema>(schema: S, options: ShapeOptions = {}): Shape<Static<S>> {
  const compiled = Compile(schema);
  const validate = (input: unknown): Validated<Static<S>> => {
    const given = input === undefined && (options.text || options.optional) ? {} : input;
    const value = options.text ? compiled.Default(exactly(given, compiled.Convert(structuredClone(given)))) : given;
    if (compiled.Check(value)) {
      const texts = unstorable(value);
      if (texts.length === 0) return { value: value };
      return { issues: texts.map((path) => issue(path, 'invalid_value', 'holds a character that is not text')) };
    }
    const errors = compiled.Errors(value) as ValidationError[];
    const meant = meantBranches(errors);
    return { issues: distinct((meant.length > 0 ? meant : errors).flatMap(toIssues)).slice(0, MAX_ISSUES) };
  };
  const jsonSchema = () => structuredClone(schema) as unknown as Record<string, unknown>;
  return {
    schema,
    validate,
    '~standard': { version: 1, vendor: 'stockyard', validate, jsonSchema: { input: jsonSchema, output: jsonSchema } },
  };
}
