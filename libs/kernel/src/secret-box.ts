/**
 * Secrets at rest: AES-256-GCM (NIST SP 800-38D, random 96-bit nonces) under a key of its own for each purpose, derived from a
 * secret of the platform (HKDF, RFC 5869). What is sealed names its key and is bound to its place: copied to another row, it does
 * not open. After a change of the platform's secret the former one still opens what it has sealed.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { StockyardError } from './stockyard.error';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORM = /^1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{38,})$/;

export interface SecretBoxOptions {
  readonly secret: string;
  /** The former secret, after a change. */
  readonly before?: string | undefined;
  /** Such as `connection`; other purposes have other keys. */
  readonly purpose: string;
}

function derived(secret: string, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', info, bytes));
}

export class SecretBox {
  /** Of the key that seals. */
  readonly keyId: string;
  private readonly keys: ReadonlyMap<string, Buffer>;

  constructor({ secret, before, purpose }: SecretBoxOptions) {
    const keyIdOf = (each: string) => derived(each, `stockyard ${purpose} key id`, KEY_ID_BYTES).toString('hex');
    const keyOf = (each: string) => derived(each, `stockyard ${purpose}`, KEY_BYTES);
    const secrets = before ? [before, secret] : [secret];
    this.keyId = keyIdOf(secret);
    this.keys = new Map(secrets.map((each) => [keyIdOf(each), keyOf(each)]));
  }

  /** `place` is what the secret belongs to, such as the ids of its row; it opens there only. */
  seal(text: string, place: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.keys.get(this.keyId)!, nonce);
    cipher.setAAD(Buffer.from(place));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `1.${this.keyId}.${sealed.toString('base64url')}`;
  }

  /** Throws `secret_unreadable` (422) for what was sealed elsewhere, for another place, or has been changed. */
  open(sealed: string, place: string): string {
    const [, keyId = '', payload = ''] = FORM.exec(sealed) ?? [];
    const key = this.keys.get(keyId);
    if (!key) throw unreadable();
    const bytes = Buffer.from(payload, 'base64url');
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (error) {
      throw unreadable(error);
    }
  }
}

function unreadable(cause?: unknown): StockyardError {
  return new StockyardError({
    code: 'secret_unreadable',
    category: 'unprocessable',
    message: 'A stored secret was sealed under another secret of the platform and cannot be read; enter it again.',
    cause,
  });
}
