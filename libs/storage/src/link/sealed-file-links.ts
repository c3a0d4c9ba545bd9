/**
 * Links to files that the api hands out itself: what is to be served, sealed. Whoever holds a link may have that one file
 * until it expires; nothing is kept of it, so it cannot be revoked but by deleting the file or changing the secret.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import { constantTimeEqual, type PlatformSecret, secretsOf, StockyardError } from '#libs/kernel';

/** What a link stands for. */
export interface LinkedFile {
  readonly organizationId: string;
  readonly key: string;
  /** Name under which it is saved. */
  readonly filename: string;
  readonly contentType: string;
}

const FORM = /^1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;
/** What the router takes as one segment of a path. */
const LONGEST = 512;

/** As for any other unknown address: a link that was not sealed here, or leads to an organization that is gone. */
export function unknownLink(): StockyardError {
  return new StockyardError({
    code: 'not_found',
    category: 'not_found',
    message: 'There is nothing at this address.',
  });
}

function expiredLink(expiresAt: Date): StockyardError {
  return new StockyardError({
    code: 'file_link_expired',
    category: 'forbidden',
    message: 'The link has expired; ask for a new one.',
    details: { expired_at: expiresAt.toISOString() },
  });
}

export class SealedFileLinks {
  /** The first one seals. */
  private readonly keys: readonly Buffer[];

  /** Keys of their own are derived from the platform's secret (HKDF, RFC 5869). */
  constructor(secret: PlatformSecret) {
    this.keys = secretsOf(secret).map((each) => Buffer.from(hkdfSync('sha256', each, '', 'stockyard file link', 32)));
  }

  /** One segment of a path. `expiresAt` counts to the second. */
  seal({ organizationId, key, filename, contentType }: LinkedFile, expiresAt: Date): string {
    const claims = [organizationId, key, filename, contentType, Math.floor(expiresAt.getTime() / 1_000)];
    const text = `1.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    const sealed = `${text}.${mac(this.keys[0]!, text)}`;
    if (sealed.length > LONGEST) throw new RangeError('The name of the file is too long for a link.');
    return sealed;
  }

  /** Throws `not_found` (404) for what was not sealed here, and `file_link_expired` (403) for what was. */
  open(sealed: string, now = Date.now()): LinkedFile {
    const match = sealed.length <= LONGEST ? FORM.exec(sealed) : null;
    if (!match) throw unknownLink();
    const [, claims = '', given = ''] = match;
    if (!this.keys.some((key) => constantTimeEqual(given, mac(key, `1.${claims}`)))) throw unknownLink();
    const [organizationId, key, filename, contentType, expires] = JSON.parse(
      Buffer.from(claims, 'base64url').toString(),
    ) as [string, string, string, string, number];
    const expiresAt = new Date(expires * 1_000);
    if (now >= expiresAt.getTime()) throw expiredLink(expiresAt);
    return { organizationId, key, filename, contentType };
  }
}

function mac(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}
