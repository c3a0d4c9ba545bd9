// The secrets of the local stack: made once, kept for this user alone; the environment overrides each.
import { randomBytes } from 'node:crypto';
import { StackError } from './stack-error';
import type { StateDirectory } from './state-directory';

const NAMES = [
  'ADMIN_TOKEN',
  'JWT_SECRET',
  'MESSAGING_SECRET',
  'DATABASE_APP_PASSWORD',
  'DATABASE_RELAY_PASSWORD',
  'DATABASE_CONTROL_PASSWORD',
  'DATABASE_MONITOR_PASSWORD',
  'DATABASE_MOVER_PASSWORD',
  'DATABASE_OWNER_PASSWORD',
  'DATABASE_SUPERUSER_PASSWORD',
] as const;

export type SecretName = (typeof NAMES)[number];
export type Secrets = Readonly<Record<SecretName, string>>;

const FILE = 'secrets.json';

/** Adds to the kept secrets what is missing. A secret from the environment is used but not kept. */
export function loadSecrets(state: StateDirectory, env: NodeJS.ProcessEnv): Secrets {
  const stored = state.readJson(FILE) ?? {};
  if (typeof stored !== 'object' || Array.isArray(stored)) throw new StackError(`${state.shown(FILE)} is damaged.`);
  const kept = { ...stored } as Partial<Record<SecretName, string>>;
  const missing = NAMES.filter((name) => typeof kept[name] !== 'string' || kept[name] === '');
  for (const name of missing) kept[name] = randomBytes(32).toString('base64url');
  if (missing.length > 0) state.writeJson(FILE, kept);
  const pairs = NAMES.map((name) => [name, own(name, env) ?? kept[name]]);
  return Object.fromEntries(pairs) as Record<SecretName, string>;
}

// The superuser of the stack's own Postgres is nobody else's business.
function own(name: SecretName, env: NodeJS.ProcessEnv): string | undefined {
  return name === 'DATABASE_SUPERUSER_PASSWORD' ? undefined : env[name] || undefined;
}
