/** The command `tenant reconcile`. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AdminApi, Refusal } from './admin-api';
import type { Tell } from './follow';

export interface ReconciledBody {
  readonly levels: number;
  readonly differences: number;
  readonly repaired: number;
  readonly first: readonly {
    readonly product_id: string;
    readonly sku: string | null;
    readonly location_id: string;
    readonly location: string | null;
    readonly on_hand: string;
    readonly moved: string;
  }[];
}

interface JobBody {
  readonly id: string;
  readonly state: string;
  readonly finished_at: string | null;
  readonly progress: { readonly processed: number };
  readonly result: ReconciledBody | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface ReconcileOutcome {
  readonly reconciled?: ReconciledBody;
}

const POLL_MS = 300;

/** `tenant` is an id. The job goes on where nobody follows it. */
export async function reconcile(
  { tenant, repair }: { readonly tenant: string; readonly repair: boolean },
  api: AdminApi,
  tell: Tell,
): Promise<ReconcileOutcome> {
  const path = `/v1/admin/organizations/${tenant}/reconcile`;
  let job = await api.send<JobBody>('POST', path, { repair });
  for (let told = -1; job.finished_at === null; job = await api.get<JobBody>(`${path}/${job.id}`)) {
    const { processed } = job.progress;
    if (processed !== told) tell(`reconcile: ${job.state}, ${processed} levels`);
    told = processed;
    await delay(POLL_MS);
  }
  if (job.state === 'completed' && job.result) return { reconciled: job.result };
  const detail = `The reconciliation is ${job.state}: ${job.error?.message ?? 'it was cancelled.'}`;
  throw new Refusal(409, { code: job.error?.code ?? job.state, detail });
}
