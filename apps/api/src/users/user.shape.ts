/** Shapes of users. */
import { PASSWORD_LENGTH, ROLES, type User, USER_STATES } from '#libs/identity';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import { nameField } from '../access/name-field';

export const emailField = () =>
  Type.String({
    maxLength: 254,
    pattern: '^[!-?A-~]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$',
    description: 'E-mail address; kept in lower case, unique within the organization.',
  });

export const passwordField = () =>
  Type.String({
    minLength: PASSWORD_LENGTH.minimum,
    maxLength: PASSWORD_LENGTH.maximum,
    description: `Password of ${PASSWORD_LENGTH.minimum} to ${PASSWORD_LENGTH.maximum} characters.`,
  });

const role = Type.Enum([...ROLES], { description: 'Role; decides the permissions.' });
const state = Type.Enum([...USER_STATES], { description: 'A disabled user cannot log in.' });

export const CREATE_USER = shape(
  closed({ email: emailField(), name: nameField('Name of the person.'), role, password: passwordField() }),
);

export const UPDATE_USER = shape(
  Type.Object(
    {
      name: Type.Optional(nameField('Name of the person.')),
      role: Type.Optional(role),
      state: Type.Optional(state),
      password: Type.Optional(passwordField()),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
);

const USER_FIELDS = Type.Object({
  id: Fields.id(),
  email: Type.String(),
  name: Type.String(),
  role,
  state,
  version: Type.Integer(),
  created_at: Fields.timestamp(),
  updated_at: Fields.timestamp(),
});

export const USER = shape(USER_FIELDS);
export const USER_PAGE = shape(pageOf(USER_FIELDS));
export const USER_QUERY = shape(closed({ ...PageQuery }), { text: true });

export function userBody(user: User): ShapeType<typeof USER> {
  const { id, email, name, role, state, version } = user;
  return {
    id,
    email,
    name,
    role,
    state,
    version,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  };
}
