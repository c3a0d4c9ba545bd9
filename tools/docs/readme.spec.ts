/** The README tells the truth about what can be checked without running anything. */
import { existsSync, readFileSync } from 'node:fs';
import { configurationTable } from './configuration-table';
import { withSection } from './section';

const readme = readFileSync('README.md', 'utf8');
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
/** Prettier aligns the columns of a table; the words are what counts. */
const words = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');

describe('README', () => {
  it('shows every variable as the schema has it (otherwise: npm run docs)', () => {
    expect(words(readme)).toContain(words(configurationTable()));
  });

  it('names only scripts that exist', () => {
    const named = [...readme.matchAll(/npm (?:run )?(start|test(?::[a-z]+)?|(?<=run )[a-z:]+)/g)].map(
      (match) => match[1]!,
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1]!);
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });
});

describe('withSection', () => {
  it('replaces what stands between the markers, again and again', () => {
    const text = 'a <!-- x:begin --> old <!-- x:end --> b';
    const once = withSection(text, 'x', 'new');
    expect(once).toBe('a <!-- x:begin -->\n\nnew\n\n<!-- x:end --> b');
    expect(withSection(once, 'x', 'new')).toBe(once);
    expect(() => withSection(text, 'y', 'new')).toThrow(/markers/);
  });
});
