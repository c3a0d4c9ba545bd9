import { endOf } from './attempts';

describe('endOf', () => {
  it.each([
    ['{"reason":"The token has expired."}', 'The token has expired.'],
    ['{"reason":"api_key_revoked","message":"The key was revoked."}', 'The key was revoked.'],
    ['"Taken back."', 'Taken back.'],
    ['credential_revoked', 'credential_revoked'],
    ['', 'The credential no longer counts.'],
    ['{}', 'The credential no longer counts.'],
  ])('reads the reason of %p', (data, detail) => {
    expect(endOf(data)).toEqual({ status: 401, code: 'stream_ended', detail });
  });
});
