/** Generated sections of a Markdown file: between `<!-- name:begin -->` and `<!-- name:end -->`. */

/** The text with the section's content replaced. Throws when the markers are not there. */
export function withSection(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`The markers ${begin} and ${end} are not there.`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}
