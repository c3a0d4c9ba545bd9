import fc from 'fast-check';
import { withoutSecretFields } from './secret-fields';

const NAMES = ['authorization', 'set-cookie', 'password', 'key', 'api_key', 'refreshToken', 'token', 'secret'];

describe('fields with the name of a secret', () => {
  it.each([
    ['text', 'hid"den\\'],
    ['a number', 17.5],
    ['a word', true],
    ['nothing', null],
    ['a list', ['hidden']],
    ['an object', { of: { hidden: 'hidden' } }],
  ])('are cut out where they hold %s', (_, value) => {
    for (const name of NAMES) {
      const line = JSON.stringify({ a: 'before', [name]: value, b: { c: [{ [name]: value, d: 'after' }] } });
      const shown = { a: 'before', [name]: '[redacted]', b: { c: [{ [name]: '[redacted]', d: 'after' }] } };
      expect(withoutSecretFields(`${line}\n`)).toBe(`${JSON.stringify(shown)}\n`);
    }
  });

  it.each([
    { message: '{"password":"is said"}', keys: 'password', tokens: ['key', 'token'] },
    { 'password": "': 1, a: 'token":"x' },
    { PASSWORD_LENGTH: 9, key_id: 'k', passwords: 2 },
  ])('and others stay as they are: %j', (entry) => {
    expect(withoutSecretFields(JSON.stringify(entry))).toBe(JSON.stringify(entry));
  });

  it('are the only ones that change, in any JSON', () => {
    const name = fc.oneof(fc.constantFrom(...NAMES, 'token"', '"key', 'key":"'), fc.string());
    const { entry } = fc.letrec<{ entry: Record<string, unknown>; value: unknown }>((tie) => ({
      entry: fc.dictionary(name, tie('value'), { maxKeys: 4 }),
      value: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.string(), fc.array(tie('value')), tie('entry')),
    }));
    const secret = new Set(NAMES);
    const others = new Set(['cookie', 'password_hash', 'passwordHash', 'apiKey', 'access_token', 'accessToken']);
    const shown = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shown);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, of]) => [key, secret.has(key) || others.has(key) ? '[redacted]' : shown(of)]),
      );
    };
    fc.assert(
      fc.property(entry, (given) => {
        const line = JSON.stringify(given);
        expect(JSON.parse(withoutSecretFields(line))).toEqual(shown(JSON.parse(line)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('do not stop a line that is too long or too deep to be taken apart', () => {
    const long = JSON.stringify({ password: 'x'.repeat(20_000_000), a: 1 });
    expect(withoutSecretFields(long)).toBe('{"password":"[redacted]","a":1}');
    const deep = `{"token":{"a":"hidden"},"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}\n`;
    const shown = withoutSecretFields(deep);
    expect(JSON.parse(shown)).toMatchObject({ level: 'error' });
    expect([shown.includes('hidden'), shown.endsWith('\n')]).toEqual([false, true]);
  });

  it('take no longer to find in a text that tries', () => {
    for (const part of ['"key":"', '"key":"\\', '\\"key\\":', '"key":[', '"key":-']) {
      const line = JSON.stringify({ a: part.repeat(20_000), key: part.repeat(20_000), b: [part.repeat(20_000)] });
      const began = performance.now();
      expect(JSON.parse(withoutSecretFields(line))).toMatchObject({ key: '[redacted]' });
      expect(performance.now() - began).toBeLessThan(1_000);
    }
  });
});
