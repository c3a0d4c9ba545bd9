/** Shapes of logging in and of the tokens that it answers with. */
import { closed, shape, type ShapeType } from '#libs/kernel';
import { PASSWORD_LENGTH, type SessionTokens } from '#libs/identity';
import Type from 'typebox';

// Wide on purpose: whoever guesses learns no rule from a refusal.
const guess = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });

export const LOGIN = shape(
  closed({
    organization: guess(200, 'Slug of the organization.'),
    email: guess(254, 'E-mail address of the user.'),
    password: Type.String({ minLength: 1, maxLength: PASSWORD_LENGTH.maximum, description: 'Password.' }),
  }),
);

export const REFRESH = shape(
  closed({ refresh_token: Type.String({ minLength: 1, maxLength: 512, description: 'The newest refresh token.' }) }),
);

export const TOKENS = shape(
  Type.Object({
    access_token: Type.String({ description: 'JWT for `Authorization: Bearer`.' }),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Life of the access token in seconds.' }),
    refresh_token: Type.String({ description: 'Good for one use; the answer to that holds its successor.' }),
  }),
);

export function tokensBody(tokens: SessionTokens): ShapeType<typeof TOKENS> {
  return {
    access_token: tokens.accessToken,
    token_type: 'Bearer',
    expires_in: tokens.expiresInSeconds,
    refresh_token: tokens.refreshToken,
  };
}
