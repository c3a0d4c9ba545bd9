/**
 * Consistency tokens: the newest position that a caller has seen. A replica that has not replayed it may not answer that
 * caller. Positions compare only within one shard, epoch and timeline; anything else means the primary.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import { constantTimeEqual, type PlatformSecret, secretsOf, StockyardError } from '#libs/kernel';

/** A point in the log of a shard. */
export interface PositionOnShard {
  readonly shard: string;
  /** Of the primary's log, 8 upper-case hex digits. */
  readonly timeline: string;
  /** Position in the log, 16 upper-case hex digits: compares as text. */
  readonly position: string;
}

export interface ConsistencyToken extends PositionOnShard {
  /** Of the organization in the directory. */
  readonly epoch: number;
}

/** PostgreSQL's `X/Y` as 16 hex digits. */
export function toPosition(lsn: string): string {
  const [high = '', low = ''] = lsn.split('/');
  return high.padStart(8, '0') + low.padStart(8, '0');
}

/** 16 hex digits as PostgreSQL's `X/Y`. */
export function toLsn(position: string): string {
  return `${position.slice(0, 8)}/${position.slice(8)}`;
}

/** Orders the tokens of one organization as text: a later epoch, timeline or position is greater. */
export function tokenRank({ epoch, timeline, position }: ConsistencyToken): string {
  return epoch.toString(16).toUpperCase().padStart(8, '0') + timeline + position;
}

/** The newer of two tokens of one organization. */
export function newerToken(
  one: ConsistencyToken | undefined,
  other: ConsistencyToken | undefined,
): ConsistencyToken | undefined {
  if (!one || !other) return one ?? other;
  return tokenRank(one) >= tokenRank(other) ? one : other;
}

const FORM = /^1\.([a-z][a-z0-9_-]{0,30})\.([0-9A-F]{1,8})\.([0-9A-F]{8})\.([0-9A-F]{16})\.([A-Za-z0-9_-]{22})$/;
const MAC_LENGTH = 22; // 132 bits as base64url
const LONGEST = 128;

function invalidToken(): StockyardError {
  return new StockyardError({
    code: 'invalid_consistency_token',
    category: 'invalid',
    param: 'X-Consistency-Token',
    message:
      'The consistency token is not one that this organization was given; send the last one you received, or none.',
  });
}

/** Seals and opens tokens. The seal covers the organization: another one's token is as void as a made-up one. */
export class ConsistencyTokens {
  /** The first one seals. */
  private readonly keys: readonly Buffer[];

  /** Keys of their own are derived from the platform's secret (HKDF, RFC 5869). */
  constructor(secret: PlatformSecret) {
    this.keys = secretsOf(secret).map((each) => {
      return Buffer.from(hkdfSync('sha256', each, '', 'stockyard consistency token', 32));
    });
  }

  seal(organizationId: string, { shard, epoch, timeline, position }: ConsistencyToken): string {
    const text = `1.${shard}.${epoch.toString(16).toUpperCase()}.${timeline}.${position}`;
    return `${text}.${mac(this.keys[0]!, organizationId, text)}`;
  }

  /** Throws `invalid_consistency_token` (400) for a forged, foreign or broken one. */
  open(organizationId: string, sealed: string): ConsistencyToken {
    const match = sealed.length <= LONGEST ? FORM.exec(sealed) : null;
    if (!match) throw invalidToken();
    const [, shard = '', epoch = '', timeline = '', position = '', given = ''] = match;
    const text = sealed.slice(0, -(MAC_LENGTH + 1));
    if (!this.keys.some((key) => constantTimeEqual(given, mac(key, organizationId, text)))) throw invalidToken();
    return { shard, epoch: parseInt(epoch, 16), timeline, position };
  }
}

function mac(key: Buffer, organizationId: string, text: string): string {
  const signed = `${organizationId.toLowerCase()}\n${text}`;
  return createHmac('sha256', key).update(signed).digest('base64url').slice(0, MAC_LENGTH);
}
