/** Names of people, keys and organizations: one line without control characters. */
import Type from 'typebox';

export const nameField = (description: string) =>
  Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f]*$', description });
