/** Which secrets a process works with. In production it starts with those alone, so it need not be given the others. */

export type ProcessName = 'api' | 'worker' | 'metrics' | 'migrate' | 'operator';

const ROLES = [
  'DATABASE_APP_PASSWORD',
  'DATABASE_RELAY_PASSWORD',
  'DATABASE_CONTROL_PASSWORD',
  'DATABASE_MONITOR_PASSWORD',
] as const;

const SECRETS = {
  api: [...ROLES, 'ADMIN_TOKEN', 'JWT_SECRET', 'MESSAGING_SECRET'],
  worker: [...ROLES, 'DATABASE_MOVER_PASSWORD', 'MESSAGING_SECRET'],
  metrics: [...ROLES, 'ADMIN_TOKEN', 'JWT_SECRET', 'MESSAGING_SECRET'],
  /** It makes the roles: a default here would be the password of one. */
  migrate: [...ROLES, 'DATABASE_MOVER_PASSWORD', 'DATABASE_OWNER_PASSWORD'],
  operator: ['ADMIN_TOKEN'],
} as const satisfies Record<ProcessName, readonly string[]>;

export type SecretName = (typeof SECRETS)[ProcessName][number];

/** Of one process, or of all that serve. */
export function secretsOf(name: ProcessName | undefined): readonly SecretName[] {
  if (name !== undefined) return SECRETS[name];
  return [...new Set<SecretName>([...SECRETS.api, ...SECRETS.worker, ...SECRETS.metrics])];
}
