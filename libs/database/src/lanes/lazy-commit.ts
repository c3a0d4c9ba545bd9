/** The statement for a batch whose loss does no harm: a crash of the server may take the last fraction of a second of such batches. */
import { tenantStatement } from './statement';

/**
 * The commit of this batch waits neither for the disk nor for a synchronous standby. Any later commit that does wait has all that stands
 * before it in the log. Not for what is read back from standbys by its position, which may lie just before the commit.
 */
export const lazyCommit = tenantStatement(
  'lazy_commit',
  "select set_config('synchronous_commit', 'off', true) where $1::uuid is not null",
);
