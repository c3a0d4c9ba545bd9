/** Why a request to the outside came to nothing. What the other side answered, whatever its status, is no error. */
import { StockyardError } from '#libs/kernel';

/**
 * - `refused_url`: not an address that may be asked at all
 * - `refused_address`: the host leads to an address that is not public
 * - `unknown_host`: the name has no address
 * - `unresolved`: the name servers did not say in time
 * - `unreachable`: no connection, or it broke
 * - `untrusted`: the certificate is not good for the host
 * - `timeout`: connection, headers or body took too long
 * - `too_large`: more bytes than were allowed for
 * - `unreadable`: not HTTP, or a body in an encoding that was not asked for
 * - `stopped`: the caller's signal
 */
export type OutboundReason =
  | 'refused_url'
  | 'refused_address'
  | 'unknown_host'
  | 'unresolved'
  | 'unreachable'
  | 'untrusted'
  | 'timeout'
  | 'too_large'
  | 'unreadable'
  | 'stopped';

/** Of these another try may bring more. */
const TRANSIENT: ReadonlySet<OutboundReason> = new Set(['unresolved', 'unreachable', 'timeout', 'unreadable']);

export class OutboundError extends StockyardError {
  /** `message` names neither an address that was resolved nor anything of the URL but its host. */
  constructor(
    readonly reason: OutboundReason,
    message: string,
    options: { readonly param?: string; readonly cause?: unknown } = {},
  ) {
    super({
      code: `outbound_${reason}`,
      category: TRANSIENT.has(reason) ? 'unavailable' : 'unprocessable',
      message,
      ...options,
    });
  }

  get isTransient(): boolean {
    return TRANSIENT.has(this.reason);
  }
}
