/** Blocks are found by their mark, and nothing else is run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf, withOutput } from './blocks';

const fenced = (text: string) => `\`\`\`sh\n${text}\n\`\`\`\n`;
const PAGES = join(__dirname, '../../docs/operations');

describe('blocks of a page', () => {
  it('are those with a mark, in order', () => {
    const page = `# A\n\n<!-- drill: one -->\n\n${fenced('a\nb')}\n${fenced('never')}\n<!-- drill: two -->\n${fenced('c')}`;
    expect(blocksOf(page)).toEqual([
      { name: 'one', commands: 'a\nb\n' },
      { name: 'two', commands: 'c\n' },
    ]);
  });

  it('have names of their own', () => {
    const block = `<!-- drill: one -->\n${fenced('a')}\n`;
    expect(() => blocksOf(block + block)).toThrow('Two blocks are called one.');
  });

  it('stand behind every mark of the pages', () => {
    for (const name of readdirSync(PAGES).filter((file) => file.endsWith('.md'))) {
      const page = readFileSync(join(PAGES, name), 'utf8');
      expect([name, blocksOf(page).length]).toEqual([name, page.match(/<!-- drill:/g)?.length ?? 0]);
    }
  });

  it('are followed by what they said last', () => {
    const page = 'a\n<!-- output: one -->\n\nb\n';
    const once = withOutput(page, 'one', 'said $1\n\n');
    expect(once).toBe('a\n<!-- output: one -->\n\n```\nsaid $1\n```\n\nb\n');
    expect(withOutput(once, 'one', 'again')).toBe('a\n<!-- output: one -->\n\n```\nagain\n```\n\nb\n');
  });
});
