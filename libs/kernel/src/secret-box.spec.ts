import fc from 'fast-check';
import { SecretBox } from './secret-box';

const OPTIONS = { secret: 'a secret of the platform', purpose: 'spec' };
const unreadable = expect.objectContaining({ code: 'secret_unreadable' }) as Error;

describe('SecretBox', () => {
  const box = new SecretBox(OPTIONS);

  it('opens what it sealed, in its place, and never seals the same twice alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, place) => {
        const [first, second] = [box.seal(text, place), box.seal(text, place)];
        expect(first).not.toBe(second);
        expect(box.open(first, place)).toBe(text);
        expect(text.length > 3 && first.includes(text)).toBe(false);
      }),
    );
  });

  it('opens nothing in another place, under another secret or for another purpose', () => {
    const sealed = box.seal('hush', 'a/1');
    expect(() => box.open(sealed, 'a/2')).toThrow(unreadable);
    expect(() => new SecretBox({ ...OPTIONS, secret: 'another secret' }).open(sealed, 'a/1')).toThrow(unreadable);
    expect(() => new SecretBox({ ...OPTIONS, purpose: 'other' }).open(sealed, 'a/1')).toThrow(unreadable);
  });

  it('opens nothing that was changed by one character, and says nothing of it', () => {
    const sealed = box.seal('hush', 'place');
    for (let at = 0; at < sealed.length - 1; at += 1) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
      expect(() => box.open(changed, 'place')).toThrow(unreadable);
    }
    for (const text of ['', '1.', `1.${box.keyId}.`, `1.${box.keyId}.AAAA`, 'hush', sealed.slice(0, -5)])
      expect(() => box.open(text, 'place')).toThrow(unreadable);
  });

  it('opens after a change of the secret what the former one sealed, and seals under the new one', () => {
    const next = new SecretBox({ ...OPTIONS, secret: 'the next secret', before: OPTIONS.secret });
    const sealed = box.seal('hush', 'place');
    expect(next.open(sealed, 'place')).toBe('hush');
    expect(next.keyId).not.toBe(box.keyId);
    const anew = next.seal('hush', 'place');
    expect(anew).toContain(next.keyId);
    expect(() => box.open(anew, 'place')).toThrow(unreadable);
    expect(new SecretBox({ ...OPTIONS, secret: 'the next secret' }).open(anew, 'place')).toBe('hush');
  });
});
