import { join } from 'node:path';
import { newId } from '#libs/kernel';
import fc from 'fast-check';
import { tenantPath } from './file-key';

const organizationId = newId();

describe('the keys of files', () => {
  it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', '.hidden', 'a\\b', 'a/.', 'A', '', 'a\0b', 'a/b.csv/..'])(
    'are refused like %j',
    (key) => {
      expect(() => tenantPath(organizationId, key)).toThrow(expect.objectContaining({ code: 'invalid_file_key' }));
    },
  );

  it('never leave what belongs to the tenant', () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        let path: string;
        try {
          path = tenantPath(organizationId, key);
        } catch {
          return;
        }
        expect(join('/root', path).startsWith(`/root/${organizationId}/`)).toBe(true);
      }),
    );
  });
});
