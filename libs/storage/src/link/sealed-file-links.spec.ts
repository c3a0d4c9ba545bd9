/** A link opens as it was sealed until it expires, and nothing else opens. */
import { newId } from '#libs/kernel';
import fc from 'fast-check';
import { attachment } from './attachment';
import { type LinkedFile, SealedFileLinks } from './sealed-file-links';

const links = new SealedFileLinks({ secret: 'a secret of the platform' });
const NOW = Date.UTC(2030, 0, 1);
const EXPIRES = new Date(NOW + 60_000);
const file: LinkedFile = {
  organizationId: newId(),
  key: `exports/${newId()}.ndjson`,
  filename: `stock_movements-${newId()}.ndjson`,
  contentType: 'application/x-ndjson; charset=utf-8',
};
const unknown = expect.objectContaining({ code: 'not_found', category: 'not_found' }) as Error;

describe('links to files', () => {
  it('open as they were sealed, up to the second they expire', () => {
    const sealed = links.seal(file, EXPIRES);
    expect(sealed).toMatch(/^[\w.-]+$/); // one segment of a path, as it is
    expect(links.open(sealed, NOW)).toEqual(file);
    expect(links.open(sealed, EXPIRES.getTime() - 1)).toEqual(file);
    expect(() => links.open(sealed, EXPIRES.getTime())).toThrow(
      expect.objectContaining({
        code: 'file_link_expired',
        category: 'forbidden',
        details: { expired_at: EXPIRES.toISOString() },
      }) as Error,
    );
  });

  it('are void after any change, expired or not', () => {
    const sealed = links.seal(file, EXPIRES);
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('0', 'a', 'F', '.', '-', '_', ' ', ''), (at, replacement) => {
        const index = at % sealed.length;
        const forged = sealed.slice(0, index) + replacement + sealed.slice(index + 1);
        fc.pre(forged !== sealed);
        for (const now of [NOW, EXPIRES.getTime()]) expect(() => links.open(forged, now)).toThrow(unknown);
      }),
      { numRuns: 1_000 },
    );
    for (const text of ['', '1', '1..', `1.${'a'.repeat(5_000)}`, `${sealed}${sealed}`]) {
      expect(() => links.open(text, NOW)).toThrow(unknown);
    }
  });

  it('bind each of their claims, and the secret', () => {
    const mac = links.seal(file, EXPIRES).split('.')[2]!;
    for (const change of [
      { organizationId: newId() },
      { key: 'a.csv' },
      { filename: 'b.csv' },
      { contentType: 'text/html' },
    ]) {
      const [version, claims] = links.seal({ ...file, ...change }, EXPIRES).split('.');
      expect(() => links.open(`${version!}.${claims!}.${mac}`, NOW)).toThrow(unknown);
    }
    const [version, later] = links.seal(file, new Date(EXPIRES.getTime() + 1_000)).split('.');
    expect(() => links.open(`${version!}.${later!}.${mac}`, NOW)).toThrow(unknown);
    expect(() => new SealedFileLinks({ secret: 'another secret' }).open(links.seal(file, EXPIRES), NOW)).toThrow(
      unknown,
    );
  });

  it('open under the former secret too, and are sealed with the new one', () => {
    const changed = new SealedFileLinks({ secret: 'next', before: 'a secret of the platform' });
    expect(changed.open(links.seal(file, EXPIRES), NOW)).toEqual(links.open(links.seal(file, EXPIRES), NOW));
    expect(() => links.open(changed.seal(file, EXPIRES), NOW)).toThrow(unknown);
  });

  it('are not made where no router would take them', () => {
    expect(() => links.seal({ ...file, filename: 'x'.repeat(300) }, EXPIRES)).toThrow(RangeError);
  });
});

describe('the name under which a file is saved', () => {
  it('cannot leave its quotes', () => {
    expect(attachment('products-1.csv')).toBe('attachment; filename="products-1.csv"');
    expect(attachment('a"; x="\r\nSet-Cookie: b/../ü')).toBe('attachment; filename="a___x____Set-Cookie__b_..__"');
  });
});
