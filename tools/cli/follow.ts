/** Follows an operation to its end and tells how it gets on. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AdminApi, type OperationBody, Refusal, Unreachable } from './admin-api';

const POLL_MS = 300;
/** An api that is restarted, or whose database moves, is back by then. */
const PATIENCE_MS = 60_000;

export type Tell = (line: string) => void;

/** Resolves once the operation has ended, whatever the end. The operation itself goes on where nobody follows it. */
export async function follow(api: AdminApi, id: string, tell: Tell): Promise<OperationBody> {
  let told = '';
  let answeredAt = performance.now();
  for (;;) {
    try {
      const operation = await api.get<OperationBody>(`/v1/admin/operations/${id}`);
      answeredAt = performance.now();
      const line = status(operation);
      if (line !== told) tell(line);
      told = line;
      if (!['queued', 'running'].includes(operation.state)) return operation;
    } catch (error) {
      const passing = error instanceof Unreachable || (error instanceof Refusal && error.status === 503);
      if (!passing || performance.now() - answeredAt > PATIENCE_MS) throw error;
    }
    await delay(POLL_MS);
  }
}

function status({ kind, state, step, rolling_back, progress, error }: OperationBody): string {
  const figures = Object.entries(progress).map(([name, value]) => `${name} ${String(value)}`);
  const doing = rolling_back && state === 'running' ? 'rolling back' : (step ?? state);
  const trouble = error && state === 'running' ? [`tried again after: ${error.message}`] : [];
  return [`${kind}: ${state === 'running' ? doing : state}`, ...figures, ...trouble].join(', ');
}
