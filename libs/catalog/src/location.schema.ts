/** Shapes of locations: the places that hold stock. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

const code = () =>
  Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9._-]+$', description: 'Short code.' });
const state = Type.Enum(['active', 'archived']);

export const LOCATION = shape(
  Type.Object({
    id: Fields.id(),
    code: code(),
    name: Type.String(),
    is_default: Type.Boolean({ description: 'Where stock goes when a request names no location.' }),
    state,
    version: Type.Integer(),
    created_at: Fields.timestamp(),
    updated_at: Fields.timestamp(),
  }),
);
export type Location = ShapeType<typeof LOCATION>;

export const CREATE_LOCATION = shape(closed({ code: code(), name: Fields.text(200, 'Name.') }));
export const UPDATE_LOCATION = shape(
  closed({ name: Type.Optional(Fields.text(200, 'Name.')), state: Type.Optional(state) }),
);
