/** Connections as the API takes and shows them. Secrets go in and never come out. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import { BREAKER_STATES } from './breaker/breaker';
import { type Connection, CONNECTION_STATES } from './connection';

const MAX_HEADERS = 10;

const name = () => Fields.text(100, 'Unique within the organization.');
const url = () =>
  Fields.text(
    2_048,
    'Where stock is pulled from, https. No user, password or fragment. It is shown: secrets go elsewhere.',
  );
const location = () => Fields.text(64, 'Code of the location that a row without one means; null: the default one.');
const bearerToken = () =>
  Type.String({
    minLength: 1,
    maxLength: 8_192,
    pattern: '^[\\x21-\\x7e]+$',
    writeOnly: true,
    description: 'Sent as `Authorization: Bearer …`. Never shown.',
  });
const headers = () =>
  Type.Record(
    Type.String({ pattern: '^[A-Za-z0-9-]{1,100}$' }),
    Type.String({ minLength: 1, maxLength: 2_048, pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$' }),
    {
      maxProperties: MAX_HEADERS,
      additionalProperties: false,
      writeOnly: true,
      description: `Up to ${MAX_HEADERS} headers of each request. Only their names are shown.`,
    },
  );
const cursor = () => Fields.text(2_048, 'Where the outside system goes on; null: from the beginning.');

export const CREATE_CONNECTION = shape(
  closed({
    name: name(),
    url: url(),
    location: Type.Optional(Fields.nullable(location())),
    bearer_token: Type.Optional(Fields.nullable(bearerToken())),
    headers: Type.Optional(Fields.nullable(headers())),
  }),
);
export type NewConnection = ShapeType<typeof CREATE_CONNECTION>;

export const UPDATE_CONNECTION = shape(
  closed({
    name: Type.Optional(name()),
    url: Type.Optional(url()),
    location: Type.Optional(Fields.nullable(location())),
    bearer_token: Type.Optional(Fields.nullable(bearerToken())),
    headers: Type.Optional(Fields.nullable(headers())),
    cursor: Type.Optional(Fields.nullable(cursor())),
  }),
);
export type ConnectionChange = ShapeType<typeof UPDATE_CONNECTION>;

export const CONNECTION = shape(
  Type.Object({
    id: Fields.id(),
    name: name(),
    url: url(),
    location: Fields.nullable(location()),
    has_bearer_token: Type.Boolean(),
    header_names: Type.Array(Type.String()),
    state: Type.Enum([...CONNECTION_STATES]),
    cursor: Fields.nullable(cursor()),
    breaker: Type.Object({
      state: Type.Enum([...BREAKER_STATES], {
        description: '`open`: nothing is asked before `retry_at`. `half_open`: one sync tries.',
      }),
      failures: Type.Integer({ description: 'In a row.' }),
      retry_at: Fields.nullable(Fields.timestamp('When it is tried again.')),
    }),
    last_job_id: Fields.nullable(Fields.id('The last job that asked the outside system.')),
    last_success_at: Fields.nullable(Fields.timestamp('When a sync last came to the end.')),
    last_failure_at: Fields.nullable(Fields.timestamp()),
    last_failure: Fields.nullable(Type.Object({ code: Type.String(), message: Type.String() })),
    version: Type.Integer({ description: 'Of what can be changed; syncs leave it alone.' }),
    created_at: Fields.timestamp(),
    updated_at: Fields.timestamp(),
  }),
);
export type ConnectionView = ShapeType<typeof CONNECTION>;

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;

export function connectionView(connection: Connection): ConnectionView {
  const { id, name, url, location, has_bearer_token, header_names, state, cursor } = connection;
  const { breaker_state, breaker_failures, breaker_retry_at, last_failure_code, last_failure_message } = connection;
  return {
    ...{ id, name, url, location, has_bearer_token, header_names: [...header_names], state, cursor },
    breaker: { state: breaker_state, failures: breaker_failures, retry_at: iso(breaker_retry_at) },
    last_job_id: connection.last_job_id,
    last_success_at: iso(connection.last_success_at),
    last_failure_at: iso(connection.last_failure_at),
    last_failure: last_failure_code === null ? null : { code: last_failure_code, message: last_failure_message ?? '' },
    version: connection.version,
    created_at: connection.created_at.toISOString(),
    updated_at: connection.updated_at.toISOString(),
  };
}
