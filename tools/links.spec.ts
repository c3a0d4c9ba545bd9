/** The checker of links, as it is run: what it finds, where, and what it lets be. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('npm run links', () => {
  const root = mkdtempSync(join(tmpdir(), 'stockyard-links-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  function check(pages: Readonly<Record<string, string>>) {
    mkdirSync(join(root, 'docs'), { recursive: true });
    for (const [name, text] of Object.entries(pages)) writeFileSync(join(root, name), text);
    const args = ['tools/links.mjs', root, ...Object.keys(pages)];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (stderr !== '') throw new Error(stderr);
    return { status, lines: stdout.split('\n').filter((line) => line !== '') };
  }

  it('lets be what leads somewhere, other addresses, and code', () => {
    const here =
      '# One `two`, three\n\n## Same\n\n## Same\n\n[a](#one-two-three) [b](#same-1) [c](docs/there.md#über-uns)\n';
    const more =
      '[d](https://x.example/y) `[e](none)` [f](docs) <mailto:a@b.example>\n\n```md\n[g](none)\n# Not one\n```\n';
    const there = '# Über uns\n\n[back](../here.md#same "title") ![picture](../here.md)\n\n[ref]: ../here.md\n';
    expect(check({ 'here.md': here + more, 'docs/there.md': there })).toEqual({ status: 0, lines: [] });
  });

  it('names the file, the line and the link that leads nowhere', () => {
    const here = '# A\n\n[a](none.md)\n[b](#b)\n\n```\n# B\n```\n\n[c](docs/there.md#z) [d](../../etc/passwd)\n';
    expect(check({ 'here.md': here, 'docs/there.md': '# Y\n' })).toEqual({
      status: 1,
      lines: [
        'here.md:3: none.md: there is no such file',
        'here.md:4: #b: there is no such heading',
        'here.md:10: docs/there.md#z: there is no such heading',
        'here.md:10: ../../etc/passwd: leads out of the checkout',
      ],
    });
  });
});
