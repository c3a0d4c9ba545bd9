/** The kinds of settings that many variables are. */
import Type from 'typebox';

export const port = (fallback: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 65535, default: fallback, description });
export const count = (fallback: number, maximum: number, description: string) =>
  Type.Integer({ minimum: 1, maximum, default: fallback, description });
export const optionalUrl = (description: string) =>
  Type.String({ pattern: '^(|https?://\\S+)$', default: '', description });
export const secret = (fallback: string, description: string) =>
  Type.String({ minLength: 8, default: fallback, description });
