import { scrubber } from './scrub';
import { secretValues } from './secret-values';

const KEY = `sk_${'x-_9'.repeat(20)}`;

describe('the last look at a line', () => {
  const scrub = scrubber([]);

  it.each([
    ['a password in a URL', 'to redis://user:p%40ss@host:1/0 failed', 'to redis://user:[redacted]@host:1/0 failed'],
    ['one without a user', 'rediss://:pass@host', 'rediss://:[redacted]@host'],
    ['a bearer token', 'Authorization: Bearer abc.def-ghi=', 'Authorization: Bearer [redacted]'],
    ['basic credentials', '"basic dXNlcjpwYXNz"', '"basic [redacted]"'],
    ['an API key', `key ${KEY}.`, 'key [redacted].'],
    ['a refresh token', `rt_${'a'.repeat(86)}`, '[redacted]'],
    ['a JWT', 'x eyJhbGciOiJIUzI1NiJ9.eyJvcmciOiIxIn0.c2lnbmF0dXJl y', 'x [redacted] y'],
    ['a link to a file', '"/v1/files/1.a.b"', '"/v1/files/[redacted]"'],
    ['a signature', '?X-Amz-Date=1&X-Amz-Signature=abc&b=c', '?X-Amz-Date=1&X-Amz-Signature=[redacted]&b=c'],
    ['a token in a query', '/a?token=abc"', '/a?token=[redacted]"'],
  ])('cuts out %s', (_, text, shown) => {
    expect(scrub(text)).toBe(shown);
  });

  it('cuts out fields of JSON that stands in a text', () => {
    const inside = JSON.stringify({ user: 'u', password: 'hid"d\\en\n', a: { token: 'hidden', key_id: 'k' } });
    const shown = scrub(JSON.stringify({ message: `said ${inside}.` }));
    const { message } = JSON.parse(shown) as { message: string };
    expect(JSON.parse(message.slice('said '.length, -1))).toEqual({
      ...{ user: 'u', password: '[redacted]' },
      a: { token: '[redacted]', key_id: 'k' },
    });
  });

  it.each([
    '{"message":"Shard main: 127.0.0.1:5432 is up, a primary.","request_id":"0197-b"}',
    'Bearer tokens are refused.'.replace('Bearer tokens', 'Tokens of bearers'),
    'the task_force and https://example.com:443/a@b',
    '{"path":"/v1/products","key":"[redacted]"}',
  ])('leaves the rest alone: %s', (text) => {
    expect(scrub(text)).toBe(text);
  });

  it('cuts out the secrets of the configuration in every form, and leaves JSON that can be read', () => {
    const config = {
      ADMIN_TOKEN: 'a "quoted" token\\1',
      DATABASE_APP_PASSWORD: 'app (secret)+1',
      DATABASE_SHARDS: '{"two":{"url":"postgres://u:shard%20secret@h/d"}}',
      ACCESS_TOKEN_TTL_SECONDS: 900,
      JWT_SECRET: 'short',
      HOST: '127.0.0.1',
      otlpHeaders: { authorization: 'Bearer of-the-collector' },
    };
    const scrubKnown = scrubber(secretValues(config));
    const secrets = ['a "quoted" token\\1', 'app (secret)+1', 'shard secret', 'of-the-collector'];
    for (const secret of secrets) {
      const nested = JSON.stringify({ message: JSON.stringify({ secret }) });
      for (const text of [JSON.stringify({ secret }), nested, encodeURIComponent(secret), secret]) {
        expect(scrubKnown(text)).toContain('[redacted]');
        expect(scrubKnown(text)).not.toMatch(/quoted|secret\)|shard.*secret|of-the-collector/);
      }
      expect(() => JSON.parse(scrubKnown(nested)) as unknown).not.toThrow();
    }
    expect(scrubKnown('short on 127.0.0.1 for 900')).toBe('short on 127.0.0.1 for 900');
  });

  it('takes no longer for a text that tries', () => {
    for (const part of [
      '://',
      'a:',
      'eyJaaaaaaaa.',
      '?token=',
      'Bearer ',
      'sk_a',
      '\\"key\\":\\"',
      '\\"key\\":\\"\\\\a',
    ]) {
      const began = performance.now();
      scrub(part.repeat(20_000));
      expect(performance.now() - began).toBeLessThan(1_000);
    }
  });
});
