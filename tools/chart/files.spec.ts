/** The chart holds what its sources hold now. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '#libs/config';
import { CHART, chartFiles, COPIED } from './files';
import { CHART_VARIABLES, SECRET_VARIABLES } from './values/environment';
import { VALUES_SCHEMA } from './values/schema';

describe('the chart', () => {
  it.each([...chartFiles()])('%s is as its source has it (otherwise: npm run chart)', (path, text) => {
    const found = readFileSync(path, 'utf8');
    if (path.endsWith('.json')) expect(JSON.parse(found)).toEqual(JSON.parse(text));
    else expect(found).toBe(text);
  });

  it('holds no rule or dashboard that is gone', () => {
    const held = COPIED.flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)));
    expect(held.filter((path) => !chartFiles().has(path))).toEqual([]);
    expect(held.length).toBeGreaterThan(5);
  });

  it('lets every variable of the processes be set that it does not set itself', () => {
    const { environment } = VALUES_SCHEMA.$defs;
    const known = Object.keys(loadConfig({})).filter((name) => /^[A-Z]/.test(name));
    const settable = Object.keys(environment.properties);
    expect([...settable, ...SECRET_VARIABLES, ...CHART_VARIABLES].sort()).toEqual(known.sort());
  });

  it('has every object of the values closed', () => {
    const open: string[] = [];
    const look = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      if ('properties' in schema && !('additionalProperties' in schema || '$ref' in schema)) open.push(path);
      for (const [key, value] of Object.entries(schema)) look(value, `${path}/${key}`);
    };
    look(VALUES_SCHEMA, '');
    // Handed to Kubernetes as they are.
    expect(open.filter((path) => !PASSED_ON.test(path))).toEqual([]);
  });

  it('names only values in its README that exist', () => {
    const readme = readFileSync(join(CHART, 'README.md'), 'utf8');
    const named = [...readme.matchAll(/`([a-z]+[A-Za-z]*(?:\.[a-z][A-Za-z0-9]*)+)`/g)].map((match) => match[1]!);
    const values = named.filter((name) => !/\.(json|yaml)$/.test(name));
    expect(values.length).toBeGreaterThan(30);
    expect(values.filter((path) => !isValue(path.split('.')))).toEqual([]);
  });

  it('is of this release', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')).toContain(`appVersion: '${version}'`);
  });
});

interface Schema {
  readonly properties?: Record<string, Schema>;
}

function isValue(path: readonly string[], schema: Schema = VALUES_SCHEMA as Schema): boolean {
  const [name, ...rest] = path;
  if (name === undefined) return true;
  const inner = schema.properties?.[name];
  return inner !== undefined && isValue(rest, inner);
}

const PASSED_ON =
  /\/(global|podSecurityContext|containerSecurityContext|affinity|(tolerations|tls|pullSecrets|extraVolumes|extraVolumeMounts|to|clients|prometheus|dashboard|nameServers|extraEgress)\/items)$/;
