/** docker-compose.yml as Docker Compose reads it: merged, and with the variables of an environment in it. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly target: string };
  readonly user?: string;
  readonly init?: boolean;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly aliases?: readonly string[] } | null>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly profiles?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly logging?: { readonly options?: Readonly<Record<string, string>> };
  readonly stop_signal?: string;
  readonly stop_grace_period?: string;
  readonly deploy?: { readonly resources?: { readonly limits?: Readonly<Record<'cpus' | 'memory' | 'pids', string>> } };
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, object | null>>;
}

/** A variable that `${NAME:?…}` wants and the environment lacks. */
export class MissingVariable extends Error {
  constructor(
    readonly variable: string,
    reason: string,
  ) {
    super(`${variable}: ${reason}`);
  }
}

const VARIABLE = /\$(?:\$|\{(\w+)(?:(:?[-?])([^}]*))?\})/g;

/** The forms of the Compose specification, "Interpolation", that the file uses. */
function interpolated(text: string, environment: Readonly<Record<string, string>>): string {
  const value = (name: string, form: string, rest: string): string => {
    const found = environment[name];
    if (found !== undefined && (found !== '' || !form.startsWith(':'))) return found;
    if (form.endsWith('?')) throw new MissingVariable(name, rest);
    return form.endsWith('-') ? rest : '';
  };
  return text.replace(VARIABLE, (_, name?: string, form?: string, rest?: string) =>
    name === undefined ? '$' : value(name, form ?? '', rest ?? ''),
  );
}

function everyString(node: unknown, change: (text: string) => string): unknown {
  if (typeof node === 'string') return change(node);
  if (Array.isArray(node)) return node.map((item) => everyString(item, change));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, everyString(value, change)]));
}

function parsed(file: string): Record<string, unknown> {
  const whole = parse(readFileSync(file, 'utf8'), { merge: true, maxAliasCount: 1_000 }) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(whole).filter(([key]) => !key.startsWith('x-')));
}

/** Throws MissingVariable. */
export function readCompose(file: string, environment: Readonly<Record<string, string>>): Compose {
  return everyString(parsed(file), (text) => interpolated(text, environment)) as Compose;
}

export interface VariableUse {
  readonly name: string;
  readonly required: boolean;
}

/** Every variable that the file has interpolated. */
export function variablesOf(file: string): VariableUse[] {
  const found = new Map<string, boolean>();
  everyString(parsed(file), (text) => {
    for (const [, name, form] of text.matchAll(VARIABLE)) if (name) found.set(name, form?.endsWith('?') ?? false);
    return text;
  });
  return [...found].map(([name, required]) => ({ name, required }));
}

/** The lines `NAME=value` of a file such as .env. */
export function readVariables(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').split('\n');
  const pairs = lines.map((line) => /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line)).filter((found) => found !== null);
  return Object.fromEntries(pairs.map(([, name, value]) => [name!, value!]));
}

/** Networks of a service, with the names it has there beside its own. */
export function networksOf(service: Service): Map<string, readonly string[]> {
  const { networks = [] } = service;
  if (Array.isArray(networks)) return new Map((networks as readonly string[]).map((name) => [name, []]));
  return new Map(
    Object.entries(networks).map(([name, of]) => [name, (of as { aliases?: string[] } | null)?.aliases ?? []]),
  );
}

/** `30s` in seconds, `512M` and `256mb` in bytes. */
export function seconds(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+)(s|m)$/.exec(text) ?? [];
  return Number(amount) * (unit === 'm' ? 60 : 1);
}

export function bytes(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg])b?$/i.exec(text) ?? [];
  return Number(amount) * 1024 ** ('kmg'.indexOf(unit.toLowerCase()) + 1);
}
