import { withHosts, withLogin, withoutLogin } from './database-url';

describe('URLs of Postgres', () => {
  it.each([
    ['postgres://me:se%40cret@a:1/db?sslmode=disable', 'postgres://a:1/db?sslmode=disable'],
    ['postgresql://me@a:1,b:2/db', 'postgresql://a:1,b:2/db'],
    ['postgres://a/db', 'postgres://a/db'],
  ])('lose the login of %s', (url, without) => {
    expect(withoutLogin(url)).toBe(without);
  });

  it('get another login, whatever characters it has', () => {
    expect(withLogin('postgres://me:old@a:1,b:2/db', 'app', '$&@/:')).toBe('postgres://app:%24%26%40%2F%3A@a:1,b:2/db');
    expect(withLogin('postgres://a/db', 'app', 'x')).toBe('postgres://app:x@a/db');
  });

  it('get other hosts, and keep login, database and options', () => {
    expect(withHosts('postgres://me:p$1@127.0.0.1:1/db?x=y', [5, 6])).toBe(
      'postgres://me:p$1@127.0.0.1:5,127.0.0.1:6/db?x=y',
    );
  });
});
