/**
 * The envelope around every message: `{v, name, issued_at, nonce?, payload, mac}`. Being on the right Redis channel
 * proves nothing, so each envelope is signed with HMAC-SHA256 over deployment, name, time, nonce and payload, and is
 * void 60 seconds after (or before, for clocks that differ) its time of issue. A replay within that time is harmless:
 * events only make a process forget or look, and an answer is bound to its question by the nonce.
 */
import { createHmac } from 'node:crypto';
import { type Clock, constantTimeEqual, type PlatformSecret, secretsOf, shape } from '#libs/kernel';
import Type from 'typebox';

const VERSION = 1;
const MAX_AGE_MS = 60_000;
const MAX_NONCE = 64;

const ENVELOPE = shape(
  Type.Object({
    v: Type.Literal(VERSION),
    name: Type.String({ maxLength: 100 }),
    issued_at: Type.Integer({ minimum: 0, description: 'Unix milliseconds.' }),
    nonce: Type.Optional(Type.String({ maxLength: MAX_NONCE })),
    payload: Type.Unknown(),
    mac: Type.String({ maxLength: 64 }),
  }),
);

export interface Envelope {
  readonly v: 1;
  readonly name: string;
  readonly issued_at: number;
  readonly nonce?: string;
  readonly payload: unknown;
  readonly mac: string;
}

/** Why an envelope was not accepted. */
export type EnvelopeFault = 'malformed' | 'misdirected' | 'forged' | 'expired';

export type Opened = { readonly payload: unknown } | { readonly fault: EnvelopeFault };

export interface EnvelopeOptions extends PlatformSecret {
  /** Keeps deployments that share a secret and a server from accepting each other's messages. */
  readonly deployment: string;
  readonly clock: Clock;
}

export class EnvelopeCodec {
  /** The first one signs. */
  private readonly secrets: readonly string[];

  constructor(private readonly options: EnvelopeOptions) {
    this.secrets = secretsOf(options);
  }

  /** `payload` must survive JSON unchanged. */
  seal(name: string, payload: unknown, nonce?: string): Envelope {
    const unsigned = {
      v: VERSION,
      name,
      issued_at: this.options.clock.nowMs(),
      ...(nonce === undefined ? {} : { nonce }),
      payload,
    } as const;
    return { ...unsigned, mac: this.mac(this.secrets[0]!, unsigned) };
  }

  /** The payload of an envelope for `name` (and, when given, with `nonce`), or why it is refused. Never throws. */
  open(value: unknown, name: string, nonce?: string): Opened {
    const checked = ENVELOPE.validate(value);
    if (checked.issues) return { fault: 'malformed' };
    const envelope = checked.value;
    const isOurs = this.secrets.some((secret) => constantTimeEqual(envelope.mac, this.mac(secret, envelope)));
    if (!isOurs) return { fault: 'forged' };
    if (envelope.name !== name || (nonce !== undefined && envelope.nonce !== nonce)) return { fault: 'misdirected' };
    const ageMs = this.options.clock.nowMs() - envelope.issued_at;
    if (Math.abs(ageMs) > MAX_AGE_MS) return { fault: 'expired' };
    return { payload: envelope.payload };
  }

  private mac(secret: string, { v, name, issued_at, nonce, payload }: Omit<Envelope, 'mac'>): string {
    // An array, because its serialization has one form; the payload's has too, as it came out of JSON or goes into it.
    const signed = JSON.stringify([v, this.options.deployment, name, issued_at, nonce ?? null, payload]);
    return createHmac('sha256', secret).update(signed).digest('base64url');
  }
}
