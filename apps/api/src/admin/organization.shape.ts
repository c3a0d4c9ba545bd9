/** Shapes of organizations as operators see them. */
import { REGION_NAME } from '#libs/config';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import { LIMIT_COLUMNS } from '#libs/database';
import type { LimitOverrides, NewOrganization } from '#libs/organizations';
import { type LimitName, type Organization, ORGANIZATION_STATES, TIERS } from '#libs/tenancy';
import Type from 'typebox';
import { nameField } from '../access/name-field';
import { LIMITS_FIELDS, limitsBody } from '../organization/organization.shape';
import { emailField, passwordField } from '../users/user.shape';
import { SHARD_NAME } from './shard.shape';

const MAX_INTEGER = 2_147_483_647;
const MAX_BYTES = Number.MAX_SAFE_INTEGER;
const MAX_WEIGHT = 1_000;

const override = (maximum = MAX_INTEGER) => Type.Optional(Fields.nullable(Type.Integer({ minimum: 1, maximum })));

const LIMIT_OVERRIDES = closed(
  {
    max_connections: override(),
    api_calls_per_hour: override(),
    max_users: override(),
    max_storage_bytes: override(MAX_BYTES),
    requests_per_minute: override(),
    auth_attempts_per_15_minutes: override(),
    exports_per_hour: override(),
    bulk_per_hour: override(),
    scheduling_weight: override(MAX_WEIGHT),
    max_running_jobs: override(),
    max_waiting_jobs: override(),
    max_schedules: override(),
    max_sync_connections: override(),
    max_cache_bytes: override(),
    max_concurrent_requests: override(),
  },
  { description: 'A number overrides the tier’s limit, null goes back to it, an omitted one stays as it is.' },
);

const slug = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,62}$', description: 'Name for logging in; unique.' });
const tier = Type.Enum([...TIERS], { description: 'Named set of limits.' });
const region = Type.String({ pattern: REGION_NAME, description: 'Where the data lives.' });
const state = Type.Enum([...ORGANIZATION_STATES]);

export const CREATE_ORGANIZATION = shape(
  closed({
    slug,
    name: nameField('Name of the organization.'),
    tier: Type.Optional(tier),
    region: Type.Optional(region),
    shard: Type.Optional(SHARD_NAME),
    limits: Type.Optional(LIMIT_OVERRIDES),
    owner: Type.Optional(
      closed({ email: emailField(), name: nameField('Name of the first owner.'), password: passwordField() }),
    ),
  }),
);

export const UPDATE_ORGANIZATION = shape(
  Type.Object(
    {
      name: Type.Optional(nameField('Name of the organization.')),
      tier: Type.Optional(tier),
      state: Type.Optional(Type.Enum(['active', 'suspended'])),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
);

export const PUT_LIMITS = shape(LIMIT_OVERRIDES);

const ORGANIZATION_FIELDS = Type.Object({
  id: Fields.id(),
  slug,
  name: Type.String(),
  tier,
  region,
  state,
  epoch: Type.Integer({ description: 'Rises with each change of state or place.' }),
  shard_key: Type.Integer({ minimum: 0, maximum: 1023, description: 'Bucket: a hash of the id.' }),
  shard: SHARD_NAME,
  pinned: Type.Boolean({ description: 'Whether it stays on its shard whatever becomes of its bucket.' }),
  version: Type.Integer(),
  created_at: Fields.timestamp(),
  limits: LIMITS_FIELDS,
});

export const ORGANIZATION = shape(ORGANIZATION_FIELDS);
export const ORGANIZATION_PAGE = shape(pageOf(ORGANIZATION_FIELDS));
export const ORGANIZATION_QUERY = shape(
  closed({ ...PageQuery, slug: Type.Optional(slug), state: Type.Optional(state) }),
  { text: true },
);

export function toLimitOverrides(body: ShapeType<typeof PUT_LIMITS>): LimitOverrides {
  const names = Object.keys(LIMIT_COLUMNS) as LimitName[];
  return Object.fromEntries(names.map((name) => [name, body[LIMIT_COLUMNS[name]]]));
}

export function toNewOrganization(body: ShapeType<typeof CREATE_ORGANIZATION>): NewOrganization {
  const { slug, name, tier, region, shard, limits } = body;
  return { slug, name, tier, region, shard, limits: limits && toLimitOverrides(limits) };
}

export function organizationBody(organization: Organization): ShapeType<typeof ORGANIZATION> {
  const { id, slug, name, tier, region, state, epoch, version, shard, pinned } = organization;
  return {
    id,
    slug,
    name,
    tier,
    region,
    state,
    epoch,
    shard_key: organization.shardKey,
    shard,
    pinned,
    version,
    created_at: organization.createdAt.toISOString(),
    limits: limitsBody(organization.limits),
  };
}
