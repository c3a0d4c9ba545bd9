/** Shapes of an organization as its own callers see it, and of its limits as everyone does. */
import { PERMISSIONS } from '#libs/identity';
import { Fields, shape, type ShapeType } from '#libs/kernel';
import { LIMIT_COLUMNS } from '#libs/database';
import {
  type LimitName,
  type Limits,
  type Organization,
  ORGANIZATION_STATES,
  type TenantContext,
  TIERS,
} from '#libs/tenancy';
import Type from 'typebox';

export const LIMITS_FIELDS = Type.Object({
  max_connections: Type.Integer({ description: 'Concurrent database transactions.' }),
  api_calls_per_hour: Type.Integer(),
  max_users: Type.Integer(),
  max_storage_bytes: Type.Integer(),
  requests_per_minute: Type.Integer(),
  auth_attempts_per_15_minutes: Type.Integer({ description: 'Logins, by account and by address.' }),
  exports_per_hour: Type.Integer(),
  bulk_per_hour: Type.Integer({ description: 'Imports and other bulk work.' }),
  scheduling_weight: Type.Integer({ description: 'Share of job slots under contention.' }),
  max_running_jobs: Type.Integer({ description: 'Jobs that run at once in one class.' }),
  max_waiting_jobs: Type.Integer({ description: 'Jobs that wait, in all classes.' }),
  max_schedules: Type.Integer({ description: 'Schedules, the paused ones included.' }),
  max_sync_connections: Type.Integer({
    description: 'Connections that stock is pulled from, the paused ones included.',
  }),
  max_cache_bytes: Type.Integer({ description: 'Bytes of cached values in Redis.' }),
  max_concurrent_requests: Type.Integer({ description: 'Requests that are worked on at once across all processes.' }),
});

export type LimitsBody = Type.Static<typeof LIMITS_FIELDS>;

export function limitsBody(limits: Limits): LimitsBody {
  const names = Object.keys(LIMIT_COLUMNS) as LimitName[];
  return Object.fromEntries(names.map((name) => [LIMIT_COLUMNS[name], limits[name]])) as LimitsBody;
}

const SUMMARY_FIELDS = {
  id: Fields.id(),
  slug: Type.String(),
  name: Type.String(),
  tier: Type.Enum([...TIERS]),
  state: Type.Enum([...ORGANIZATION_STATES], { description: 'Only an `active` organization can be written to.' }),
} as const;

export const OWN_ORGANIZATION = shape(Type.Object({ ...SUMMARY_FIELDS, limits: LIMITS_FIELDS }));

export const ME = shape(
  Type.Object({
    organization: Type.Object(SUMMARY_FIELDS),
    actor: Type.Object({ type: Type.Enum(['user', 'api_key']), id: Fields.id() }),
    permissions: Type.Array(Type.Enum([...PERMISSIONS])),
  }),
);

function summary({ id, slug, name, tier, state }: Organization) {
  return { id, slug, name, tier, state };
}

export function ownOrganizationBody(organization: Organization): ShapeType<typeof OWN_ORGANIZATION> {
  return { ...summary(organization), limits: limitsBody(organization.limits) };
}

export function meBody(organization: Organization, { actor, permissions }: TenantContext) {
  return { organization: summary(organization), actor, permissions: [...permissions].sort() };
}
