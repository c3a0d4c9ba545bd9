/** Shapes of API keys. */
import { type ApiKeyRequest, type ApiKeyView, PERMISSIONS, ROLES } from '#libs/identity';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import { nameField } from '../access/name-field';

const role = Type.Enum([...ROLES], { description: 'Role; decides the permissions.' });
const scopes = Type.Array(Type.Enum([...PERMISSIONS]), {
  minItems: 1,
  maxItems: PERMISSIONS.length,
  description: 'Narrows the key to these permissions of its role.',
});

export const CREATE_API_KEY = shape(
  closed({
    name: nameField('What the key is for.'),
    role,
    scopes: Type.Optional(scopes),
    expires_at: Type.Optional(Fields.timestamp('When the key stops working; never where omitted.')),
  }),
);

const API_KEY_FIELDS = {
  id: Fields.id(),
  name: Type.String(),
  role,
  scopes: Fields.nullable(scopes),
  hint: Type.String({ description: 'The last four characters of the key.' }),
  expires_at: Fields.nullable(Fields.timestamp()),
  revoked_at: Fields.nullable(Fields.timestamp()),
  last_used_at: Fields.nullable(Fields.timestamp('When it was last used, to the minute.')),
  created_by: Fields.nullable(Fields.id('The user or key that made it; null for an operator of the platform.')),
  created_at: Fields.timestamp(),
} as const;

export const API_KEY = shape(Type.Object(API_KEY_FIELDS));
export const API_KEY_PAGE = shape(pageOf(Type.Object(API_KEY_FIELDS)));
export const NEW_API_KEY = shape(
  Type.Object({ ...API_KEY_FIELDS, key: Type.String({ description: 'The key itself: shown here and never again.' }) }),
);
export const API_KEY_QUERY = shape(closed({ ...PageQuery }), { text: true });

export function toApiKeyRequest(body: ShapeType<typeof CREATE_API_KEY>): ApiKeyRequest {
  const { name, role, scopes, expires_at: expiresAt } = body;
  return { name, role, scopes, expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt) };
}

export function apiKeyBody(key: ApiKeyView): ShapeType<typeof API_KEY> {
  const { id, name, role, scopes, hint } = key;
  return {
    id,
    name,
    role,
    scopes,
    hint,
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    created_by: key.createdBy,
    created_at: key.createdAt.toISOString(),
  };
}

export function newApiKeyBody(created: { key: string; apiKey: ApiKeyView }): ShapeType<typeof NEW_API_KEY> {
  return { ...apiKeyBody(created.apiKey), key: created.key };
}
