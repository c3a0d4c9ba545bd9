/** Ways between the process and its database. Each opens both sides, names its comparisons, and closes what it opened. */
import { type AppConfig, loadConfig, roleUrl } from '#libs/config';
import { startLocalPgBouncer, startLocalReplica } from '#libs/local-stack';
import { findProgram, REQUIRED_PROGRAMS, requirePrograms, type TestOrganization, Way } from '#libs/testing';
import type { Comparison } from '../../harness/bench';
import type { BenchServers } from '../../harness/servers';
import { openGateway } from './gateway';
import { compareLanes, comparePipelined } from './lanes';
import { openRaw } from './raw';
import type { Sides } from './sides';

export const CONNECTIONS = 8;
export const IN_FLIGHT = 16;
const ROUND_TRIP_MS = 2;

export interface Place {
  readonly servers: BenchServers;
  readonly organization: TestOrganization;
}

type Setting = (place: Place) => AsyncIterable<Comparison>;

interface WayIn {
  /** URL of the database as a superuser, the way that both sides go. */
  readonly url: string;
  readonly replicaUrl?: string;
  readonly prepare?: boolean;
  readonly share?: boolean;
  /** Whether the reference, too, is the app role under its policies. */
  readonly walled?: boolean;
}

/** As the app role, with the tenant set once for the session: what a process for a single tenant could do. */
function behindTheWall(config: AppConfig, url: string, { id }: TestOrganization): string {
  const walled = new URL(roleUrl(config, 'app', url));
  walled.searchParams.set('options', `-c app.tenant_id=${id}`);
  return walled.toString();
}

/** Both sides by the same way, with as many connections. */
async function sidesBy(opened: AsyncDisposableStack, { servers, organization }: Place, way: WayIn): Promise<Sides> {
  const { url, replicaUrl = '', prepare = true, share = false, walled = false } = way;
  const config: AppConfig = loadConfig({
    ...servers.environment.variables,
    DATABASE_URL: url,
    DATABASE_REPLICA_URLS: replicaUrl,
    DATABASE_PREPARED_STATEMENTS: prepare ? 'on' : 'off',
    DATABASE_POOL_SIZE: String(CONNECTIONS),
  });
  const shared = { connections: CONNECTIONS, inFlight: IN_FLIGHT };
  const rawUrl = walled ? behindTheWall(config, url, organization) : replicaUrl || url;
  const raw = openRaw({ url: rawUrl, organizationId: organization.id, prepare, ...shared });
  opened.use(raw);
  const gateway = await openGateway({ config, organization, inFlight: IN_FLIGHT, share });
  opened.use(gateway);
  return { gateway, raw };
}

const direct: Setting = async function* (place) {
  await using opened = new AsyncDisposableStack();
  const sides = await sidesBy(opened, place, { url: place.servers.environment.adminUrl });
  yield* compareLanes('direct', sides);
  yield* comparePipelined('direct', sides, 'rate');
};

/** The reference under the same policies: what is left is the lane's own cost. */
const walled: Setting = async function* (place) {
  await using opened = new AsyncDisposableStack();
  const sides = await sidesBy(opened, place, { url: place.servers.environment.adminUrl, walled: true });
  yield* compareLanes('walled', sides, { lanes: ['statement_read', 'statement_page', 'statement_write'] });
};

/** The gateway asks for one of the tenant's own connections first. */
const share: Setting = async function* (place) {
  await using opened = new AsyncDisposableStack();
  const sides = await sidesBy(opened, place, { url: place.servers.environment.adminUrl, share: true });
  yield* compareLanes('share', sides, { lanes: ['statement_read', 'statement_write', 'interactive_write'] });
};

/** A proxy makes each round trip 2 ms longer; one operation at a time. */
const far: Setting = async function* (place) {
  await using opened = new AsyncDisposableStack();
  const way = new Way(place.servers.environment.adminUrl, { roundTripMs: ROUND_TRIP_MS });
  await way.open();
  opened.defer(() => way.cut());
  const sides = await sidesBy(opened, place, { url: way.url });
  yield* compareLanes('far', sides, { measures: 'p50' });
  yield* comparePipelined('far', sides, 'p50');
};

/** In transaction mode, without prepared statements on either side. */
const pgbouncer: Setting = async function* (place) {
  const bouncer = REQUIRED_PROGRAMS.filter(({ name }) => name === 'pgbouncer');
  requirePrograms(bouncer);
  await using opened = new AsyncDisposableStack();
  const { adminUrl } = place.servers.environment;
  const program = findProgram(bouncer[0]!)!;
  const pooler = await startLocalPgBouncer({ program, serverUrl: adminUrl, poolSize: CONNECTIONS });
  opened.defer(() => pooler.stop());
  const url = new URL(adminUrl);
  url.port = String(pooler.port);
  const sides = await sidesBy(opened, place, { url: url.toString(), prepare: false });
  yield* compareLanes('pgbouncer', sides);
};

/** Reads from a standby, which check its position and learn it; raw reads from the same standby without either. */
const replica: Setting = async function* (place) {
  await using opened = new AsyncDisposableStack();
  const { environment, postgres } = place.servers;
  const standby = await startLocalReplica(postgres);
  opened.defer(() => standby.remove());
  const url = new URL(environment.adminUrl);
  url.port = String(standby.port);
  const sides = await sidesBy(opened, place, { url: environment.adminUrl, replicaUrl: url.toString() });
  yield* compareLanes('replica', sides, {
    lanes: ['statement_read', 'statement_page', 'batch_read', 'interactive_read'],
  });
};

export const SETTINGS: readonly Setting[] = [direct, walled, share, far, pgbouncer, replica];
