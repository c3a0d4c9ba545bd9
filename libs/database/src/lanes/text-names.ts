/**
 * Names of prepared statements for texts that come without one. A text is named at its third use, since many are
 * used once (lists of values as long as the request's), and only the first TEXTS_MAX of them are, since every
 * connection keeps what it has prepared. The name says the text, so that two processes behind one pooler agree.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const NAMED_AT_USE = 3;
const TEXTS_MAX = 500;
/** Texts of which uses are counted. */
const CANDIDATES_MAX = 1_000;
/** A name holds 63 bytes. */
const DIGEST_LENGTH = 40;

export class TextNames {
  private readonly names = new Map<string, string>();
  private readonly uses = new LRUCache<string, number>({ max: CANDIDATES_MAX });

  /** Empty while the text is not worth a name. */
  nameOf(text: string): string {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    if (this.names.size >= TEXTS_MAX) return '';
    const uses = (this.uses.get(text) ?? 0) + 1;
    this.uses.set(text, uses);
    if (uses < NAMED_AT_USE) return '';
    const name = `text_${createHash('sha256').update(text).digest('hex').slice(0, DIGEST_LENGTH)}`;
    this.names.set(text, name);
    this.uses.delete(text);
    return name;
  }
}
