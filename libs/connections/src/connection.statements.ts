/** SQL of connections: what their tenant does with them. What runs do stands in sync/sync.statements.ts. */
import { tenantRead, tenantStatement } from '#libs/database';

const COLUMNS = `id, name, url, location, has_bearer_token, header_names, state, cursor, breaker_state, breaker_failures,
  breaker_openings, breaker_retry_at, breaker_trial,
  (extract(epoch from breaker_retry_at - now()) * 1000)::double precision as breaker_remaining_ms, last_job_id,
  last_success_at, last_failure_at, last_failure_code, last_failure_message, version, created_at, updated_at`;
const TARGET = 'organization_id = $1 and id = $2';

/** Of `unique (organization_id, name)`. */
export const NAME_KEY = 'connections_organization_id_name_key';

/** Until the transaction ends, nobody else adds a connection of the organization. */
export const lockConnections = tenantStatement(
  'connection_lock',
  "select pg_advisory_xact_lock(hashtextextended('connections:' || $1::uuid::text, 0))",
);

/** Refuses with `limit_exceeded` (403) when one more would be beyond `max_sync_connections`. Under the lock. */
export const requireConnectionRoom = tenantStatement(
  'connection_room',
  `select require_tenant_limit($1, 'max_sync_connections',
     (select count(*) from connections where organization_id = $1) + 1)`,
);

/** Refuses with `unknown_location` (422) a code of no active location. */
export const requireLocation = tenantStatement(
  'connection_location',
  `select refuse('unknown_location', 'unprocessable', 'No active location has this code.', 'location')
   where $2::text is not null
     and not exists (select from locations where organization_id = $1 and code = $2 and state = 'active')`,
);

export const insertConnection = tenantStatement(
  'connection_insert',
  `insert into connections (organization_id, id, name, url, location, has_bearer_token, header_names, credentials,
     credentials_key)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${COLUMNS}`,
);

export const selectConnection = tenantRead('connection_select', `select ${COLUMNS} from connections where ${TARGET}`);

/** With its sealed secrets, for whoever decides by what it reads. */
export const selectSource = tenantRead(
  'connection_select_source',
  `select ${COLUMNS}, credentials, credentials_key, revision from connections where ${TARGET}`,
  'primary',
);

export const listConnections = tenantRead(
  'connection_list',
  `select ${COLUMNS} from connections where organization_id = $1 and ($2::uuid is null or id < $2)
     and ($3::text is null or state = $3)
   order by id desc limit $4`,
);

const refuseUnlessChanged = `
  select refuse('version_mismatch', 'precondition_failed',
    'The resource has changed since you read it; read it again and repeat the change.', 'If-Match')
  where not exists (select from changed)`;

/**
 * From the version that was read ($3). The cursor changes where $11 says so: one that a run has just moved stays moved. $13 closes
 * the breaker.
 */
export const updateConnection = tenantStatement(
  'connection_update',
  `with changed as (
     update connections set name = $4, url = $5, location = $6, has_bearer_token = $7, header_names = $8, credentials = $9,
       credentials_key = $10, cursor = case when $11::boolean then $12 else cursor end, state = $14,
       breaker_state = case when $13::boolean then 'closed' else breaker_state end,
       breaker_failures = case when $13::boolean then 0 else breaker_failures end,
       breaker_openings = case when $13::boolean then 0 else breaker_openings end,
       breaker_retry_at = case when $13::boolean then null else breaker_retry_at end,
       breaker_trial = case when $13::boolean then null else breaker_trial end,
       version = version + 1, updated_at = now()
     where ${TARGET} and version = $3 returning id)
   ${refuseUnlessChanged}`,
);

export const deleteConnection = tenantStatement(
  'connection_delete',
  `with changed as (delete from connections where ${TARGET} and version = $3 returning id) ${refuseUnlessChanged}`,
);

/** Connections whose secrets were sealed under another key than $2. */
export const selectSealedBefore = tenantRead(
  'connection_select_sealed_before',
  `select id, credentials from connections
   where organization_id = $1 and credentials_key <> $2 and id > $3 order by id limit $4`,
  'primary',
);

/** Only what was read ($3), so that a change meanwhile stays. */
export const resealConnection = tenantStatement(
  'connection_reseal',
  `update connections set credentials = $4, credentials_key = $5 where ${TARGET} and credentials = $3`,
);
