/**
 * Opaque credentials of fixed width: a prefix, then the organization (16 bytes), the row (16 bytes) and a secret
 * (32 bytes), each in base64url without padding. A token thus names the one row it can match, and no look-up
 * ever crosses organizations. The bytes that name the organization are no proof of anything: the secret is
 * compared with the hash of that organization's row, which other bytes do not lead to. Where there are several regions, part of
 * the secret proves to the others where it was made (regions/region-proofs.service.ts).
 */
import { randomBytes } from 'node:crypto';
import { isUuid, sha256 } from '#libs/kernel';

/** `sk_` API key, `rt_` refresh token. */
export type TokenPrefix = 'sk_' | 'rt_';

export interface OpaqueToken {
  readonly organizationId: string;
  readonly id: string;
  readonly secret: Buffer;
}

const UUID_CHARS = 22;
export const SECRET_BYTES = 32;
const SECRET_CHARS = 43;
const BODY = new RegExp(`^[A-Za-z0-9_-]{${2 * UUID_CHARS + SECRET_CHARS}}$`);

const uuidText = (id: string): string => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');

/** Bytes of base64url text in its one canonical spelling: two texts never name the same bytes. */
function bytes(text: string): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64url');
  return decoded.toString('base64url') === text ? decoded : undefined;
}

function uuid(text: string): string | undefined {
  const hex = bytes(text)?.toString('hex');
  if (hex === undefined) return undefined;
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return isUuid(id) ? id : undefined;
}

export function newSecret(): Buffer {
  return randomBytes(SECRET_BYTES);
}

/** What is stored of a secret. 256 random bits need no salt and no slow hash. */
export const secretHash = (secret: Buffer): Buffer => sha256(secret);

export function encodeToken(prefix: TokenPrefix, { organizationId, id, secret }: OpaqueToken): string {
  return prefix + uuidText(organizationId) + uuidText(id) + secret.toString('base64url');
}

/** The parts of a token; undefined for anything encodeToken did not make. */
export function decodeToken(prefix: TokenPrefix, text: string): OpaqueToken | undefined {
  const body = text.slice(prefix.length);
  if (!text.startsWith(prefix) || !BODY.test(body)) return undefined;
  const organizationId = uuid(body.slice(0, UUID_CHARS));
  const id = uuid(body.slice(UUID_CHARS, 2 * UUID_CHARS));
  const secret = bytes(body.slice(2 * UUID_CHARS));
  return organizationId && id && secret ? { organizationId, id, secret } : undefined;
}
