/**
 * The roles of a cluster: made where they are missing, changed only where they differ. So a login that may do less than
 * create roles (a managed service's) is enough once somebody who may has prepared them.
 */
import { type AppConfig, type DatabaseRole, roleUrl } from '#libs/config';
import { type Client, escapeLiteral } from 'pg';
import { roleNotManageable } from './migrate.error';
import { withClient } from './shard-connection';

const ROLES: readonly DatabaseRole[] = ['owner', 'app', 'relay', 'control', 'monitor', 'mover'];

/** Columns of pg_roles and the words of `alter role` that set them; preceded by `no` they unset them. */
const ATTRIBUTES = {
  rolcanlogin: 'login',
  rolinherit: 'inherit',
  rolsuper: 'superuser',
  rolcreatedb: 'createdb',
  rolcreaterole: 'createrole',
  rolbypassrls: 'bypassrls',
  rolreplication: 'replication',
} as const;

type Attribute = keyof typeof ATTRIBUTES;
type Attributes = Readonly<Record<Attribute, boolean>>;
/** A null `rolconfig` is a role without settings of its own. */
type RoleRow = Attributes & { readonly rolname: string; readonly rolconfig: readonly string[] | null };

/** What `create role` gives without a word. */
const DEFAULTS: Attributes = {
  rolcanlogin: false,
  rolinherit: true,
  rolsuper: false,
  rolcreatedb: false,
  rolcreaterole: false,
  rolbypassrls: false,
  rolreplication: false,
};

/** The mover is the other side of a subscription, which Postgres lets replication roles be only. */
const wanted = (role: DatabaseRole): Attributes => ({
  ...DEFAULTS,
  rolcanlogin: true,
  rolinherit: false,
  rolreplication: role === 'mover',
});

/** What a role's sessions begin with. */
function settings(config: AppConfig): Partial<Record<DatabaseRole, Readonly<Record<string, string>>>> {
  // They ask for rows by their keys, with plans that are kept while tables grow (docs/adr/0022-no-whole-tables.md).
  const byKey = { enable_seqscan: 'off' };
  return {
    app: {
      statement_timeout: String(config.DATABASE_STATEMENT_TIMEOUT_MS),
      idle_in_transaction_session_timeout: '60000',
      // Compiling costs more than any statement of a request runs; estimates over JSON input trigger it all the same.
      jit: 'off',
      ...byKey,
    },
    relay: byKey,
  };
}

function difference(from: Attributes, to: Attributes): string[] {
  return (Object.keys(ATTRIBUTES) as Attribute[])
    .filter((attribute) => from[attribute] !== to[attribute])
    .map((attribute) => `${to[attribute] ? '' : 'no'}${ATTRIBUTES[attribute]}`);
}

/** Runs `statement`, with a password after it that no message shows. */
async function run(client: Client, statement: string, password?: string): Promise<void> {
  try {
    await client.query(password === undefined ? statement : `${statement} password ${escapeLiteral(password)}`);
  } catch (error) {
    const told = password === undefined ? statement : `${statement} password …`;
    if ((error as { code?: string }).code === '42501') throw roleNotManageable(told, error);
    throw error;
  }
}

/** Passwords cannot be read, so the question is whether this one opens the door. */
async function opens(url: string): Promise<boolean> {
  return withClient(url, () => Promise.resolve()).then(
    () => true,
    () => false,
  );
}

async function ensureRole(client: Client, role: DatabaseRole, row: RoleRow | undefined, url: string): Promise<void> {
  const name = `stockyard_${role}`;
  const password = decodeURIComponent(new URL(url).password);
  const clauses = difference(row ?? DEFAULTS, wanted(role)).join(' ');
  if (!row) return run(client, `create role ${name} ${clauses}`, password);
  if (clauses) await run(client, `alter role ${name} ${clauses}`);
  if (!(await opens(url))) await run(client, `alter role ${name}`, password);
}

/** `maintenanceUrl` leads to the server that `client` is connected to. */
export async function ensureRoles(client: Client, config: AppConfig, maintenanceUrl: string): Promise<void> {
  const { rows } = await client.query<RoleRow>(
    `select rolname, rolconfig, ${Object.keys(ATTRIBUTES).join(', ')} from pg_roles where rolname like 'stockyard\\_%'`,
  );
  const known = new Map(rows.map((row) => [row.rolname, row]));
  for (const role of ROLES) {
    await ensureRole(client, role, known.get(`stockyard_${role}`), roleUrl(config, role, maintenanceUrl));
  }
  for (const [role, wantedSettings] of Object.entries(settings(config))) {
    const name = `stockyard_${role}`;
    const set = new Set(known.get(name)?.rolconfig);
    for (const [setting, value] of Object.entries(wantedSettings)) {
      if (!set.has(`${setting}=${value}`)) await run(client, `alter role ${name} set ${setting} = ${value}`);
    }
  }
}
