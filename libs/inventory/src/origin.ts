/** Where a movement comes from: who, why, when it happened, and what it refers to. */
import type { Actor } from '#libs/tenancy';

export interface Origin {
  readonly actor: Actor;
  readonly reason: string;
  /** When it happened; recorded_at is the database's. */
  readonly occurredAt: Date;
  readonly reference: { readonly type: string; readonly id: string } | null;
}

/** Columns of stock_movements that an origin fills, in the order of originOf. */
export const ORIGIN_COLUMNS = 'actor_type, actor_id, reason, occurred_at, reference_type, reference_id';

export function originOf(origin: Origin): readonly unknown[] {
  const { actor, reason, occurredAt, reference } = origin;
  return [actor.type, actor.id, reason, occurredAt, reference?.type ?? null, reference?.id ?? null];
}
