/** The commands of a page of docs/operations, so that what is run and what is read are the same text. */

export interface Block {
  /** Names the block in its page: `<!-- drill: NAME -->` on the line before its fence. */
  readonly name: string;
  readonly commands: string;
}

const MARKED = /^<!-- drill: ([a-z0-9-]+) -->\n+```sh\n([\s\S]*?)^```$/gm;

/** In the page's order. Throws where two have one name. */
export function blocksOf(page: string): Block[] {
  const blocks = [...page.matchAll(MARKED)].map(([, name, commands]) => ({ name: name!, commands: commands! }));
  const names = blocks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two blocks are called ${twice}.`);
  return blocks;
}

const LONGEST_LINE = 140;

/** The page with what a block said, behind its mark `<!-- output: NAME -->`. */
export function withOutput(page: string, name: string, output: string): string {
  const place = new RegExp(`^<!-- output: ${name} -->\\n(?:\\n\`\`\`\\n[\\s\\S]*?^\`\`\`\\n)?`, 'm');
  const cut = (line: string) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)} …` : line);
  const lines = output.trimEnd().split('\n').map(cut).join('\n');
  return page.replace(place, () => `<!-- output: ${name} -->\n\n\`\`\`\n${lines}\n\`\`\`\n`);
}
