/**
 * The PHC string format of an Argon2id hash, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`: parameters travel with
 * each hash, so they can be raised later without a flag day.
 */

export interface Argon2Parameters {
  /** Memory in KiB. */
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}

export interface PasswordHash extends Argon2Parameters {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

export function encodePhc({ memoryKib, passes, parallelism, salt, hash }: PasswordHash): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`;
}

/** The parts of a stored hash; undefined for any text this format does not describe. */
export function decodePhc(text: string): PasswordHash | undefined {
  const match = PHC.exec(text);
  if (!match) return undefined;
  const [memoryKib, passes, parallelism] = [match[1], match[2], match[3]].map(Number) as [number, number, number];
  return {
    memoryKib,
    passes,
    parallelism,
    salt: Buffer.from(match[4]!, 'base64'),
    hash: Buffer.from(match[5]!, 'base64'),
  };
}
