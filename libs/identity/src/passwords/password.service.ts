/**
 * Passwords: Argon2id with the parameters that the OWASP Password Storage Cheat Sheet names first (19 MiB, two passes,
 * one lane), about 50 ms of one core each. At most two run at once in a process; up to 64 wait, the rest is
 * answered 503.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Injectable } from '@nestjs/common';
import { BoundedGate } from './bounded-gate';
import { type Argon2Parameters, decodePhc, encodePhc } from './phc';

/** Bounds of a password, in characters. */
export const PASSWORD_LENGTH = { minimum: 10, maximum: 200 } as const;

const PARAMETERS: Argon2Parameters = { memoryKib: 19_456, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const GATE = { running: 2, waiting: 64 } as const;

const derive = promisify(argon2);

/** Stands in for the hash of a user who does not exist: as costly to check as a real one, and matched by nothing. */
const NOBODY = encodePhc({ ...PARAMETERS, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) });

@Injectable()
export class PasswordService {
  private readonly gate = new BoundedGate(GATE);

  /** The PHC string to store. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.derive(password, { ...PARAMETERS, salt, length: HASH_BYTES });
    return encodePhc({ ...PARAMETERS, salt, hash });
  }

  /** Whether the password is the one behind `stored`. Without one the same time is spent and the answer is false. */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const known = decodePhc(stored ?? NOBODY) ?? decodePhc(NOBODY)!;
    const found = await this.derive(password, { ...known, length: known.hash.length });
    return timingSafeEqual(found, known.hash) && stored !== undefined;
  }

  /** The same characters typed on different keyboards are the same password (NFKC, as NIST SP 800-63B advises). */
  private derive(
    password: string,
    options: Argon2Parameters & { readonly salt: Buffer; readonly length: number },
  ): Promise<Buffer> {
    return this.gate.run(() =>
      derive('argon2id', {
        message: Buffer.from(password.normalize('NFKC')),
        nonce: options.salt,
        memory: options.memoryKib,
        passes: options.passes,
        parallelism: options.parallelism,
        tagLength: options.length,
      }),
    );
  }
}
