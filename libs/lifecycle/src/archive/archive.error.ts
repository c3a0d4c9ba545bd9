/** Refusals of archives. Nothing has been changed when one of them is thrown. */
import { StockyardError } from '#libs/kernel';

export function archiveDamaged(file: string, why: string, cause?: unknown): StockyardError {
  return new StockyardError({
    code: 'archive_damaged',
    category: 'unprocessable',
    message: `The archive is damaged: ${file} ${why}. Take an undamaged copy, or export again.`,
    details: { file },
    cause,
  });
}

export function archiveTooLarge(what: string, limitBytes: number): StockyardError {
  return new StockyardError({
    code: 'archive_too_large',
    category: 'unprocessable',
    message: `The archive is too large to be read: ${what} may have ${limitBytes} bytes and has more.`,
    details: { what, limit_bytes: limitBytes },
  });
}

export function archiveIncompatible(why: string): StockyardError {
  return new StockyardError({
    code: 'archive_incompatible',
    category: 'unprocessable',
    message: `The archive does not fit this release: ${why}. Import it with the release that made it, migrate, and export again.`,
  });
}

export function archiveForeign(file: string, line: number): StockyardError {
  return new StockyardError({
    code: 'archive_foreign',
    category: 'unprocessable',
    message: `The archive holds a row of another organization (${file}, line ${line}); it was not made by an export.`,
    details: { file, line },
  });
}
