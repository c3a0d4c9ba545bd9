import { bearerToken } from './bearer-token';

const read = (authorization?: string) => bearerToken({ headers: { authorization } });
const refusal = (code: string) => expect.objectContaining({ code, category: 'unauthenticated' }) as Error;

describe('bearerToken', () => {
  it('reads the credential, whatever the case of the scheme', () => {
    expect(read('Bearer abc.d-e_f')).toBe('abc.d-e_f');
    expect(read('bearer   abc')).toBe('abc');
  });

  it('asks for a credential where there is none', () => {
    expect(() => read()).toThrow(refusal('authentication_required'));
  });

  it.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'Bearer a b', 'Bearer a\u0000', `Bearer ${'a'.repeat(5_000)}`])(
    'refuses %j',
    (header) => {
      expect(() => read(header)).toThrow(refusal('invalid_token'));
    },
  );
});
