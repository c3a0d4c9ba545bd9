/** Names of the Redis keys and channels of coordination. */
import { redisKey } from '#libs/redis';

/** Hash of one organization: caller → rank and sealed token. */
export function tokensKey(prefix: string, organizationId: string): string {
  return redisKey(prefix, 'consistency', organizationId);
}

/** Hash of one organization: process → its lease. `share`: name of what is shared. */
export function leasesKey(prefix: string, share: string, organizationId: string): string {
  return redisKey(prefix, share, organizationId);
}

/** Sorted set: process → when it was last heard of. */
export function processesKey(prefix: string, share: string): string {
  return redisKey(prefix, share, null, 'processes');
}

/** The channel on which a process is told that others want slots or that there are some for it. */
export function hintsChannel(prefix: string, share: string, process: string): string {
  return redisKey(prefix, share, null, 'hints', process);
}
