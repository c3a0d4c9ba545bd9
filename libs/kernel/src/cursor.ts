/** Opaque pagination cursors: base64url of a short JSON array, the sort key of the last row of a page. */
import { StockyardError } from './stockyard.error';

const MAX_LENGTH = 512;

export function encodeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/**
 * The parts of a cursor made by encodeCursor, each accepted by its check.
 * Throws `invalid_cursor` (400) for anything this API did not hand out.
 */
export function decodeCursor(cursor: string, checks: readonly ((part: string) => boolean)[]): string[] {
  try {
    if (cursor.length <= MAX_LENGTH) {
      const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
      if (
        Array.isArray(parts) &&
        parts.length === checks.length &&
        parts.every((part, index) => typeof part === 'string' && checks[index]!(part))
      ) {
        return parts as string[];
      }
    }
  } catch {
    // falls through: text that is no JSON is no cursor of ours
  }
  throw new StockyardError({
    code: 'invalid_cursor',
    category: 'invalid',
    param: 'cursor',
    message: 'This cursor was not issued for this list; start again without one.',
  });
}
