/** Blocks are found by their mark, and nothing else is run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf } from './blocks';

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
});
