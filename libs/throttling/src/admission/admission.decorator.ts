/** How a handler passes the admission gate. Without it: `interactive`, until the answer begins. */
import { SetMetadata } from '@nestjs/common';
import type { Priority } from './visitor';

export const ADMISSION_KEY = 'stockyard:admission';

export interface Admission {
  readonly priority: Priority;
  /**
   * What the request holds once it was let in. `place` (default): a place in the process until the answer begins, and one of the
   * tenant's slots until it has ended. `slot`: the slot alone, for bodies that take as long as the client's line, either way.
   * `nothing`: for streams that stay open and are bounded where they are opened.
   */
  readonly holds?: 'place' | 'slot' | 'nothing';
}

/** `@Admit({ priority: 'report' })`. Public handlers, which are not gated else, are with it. */
export const Admit = (admission: Admission) => SetMetadata<string, Admission>(ADMISSION_KEY, admission);
