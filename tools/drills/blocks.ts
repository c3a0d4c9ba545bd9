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
