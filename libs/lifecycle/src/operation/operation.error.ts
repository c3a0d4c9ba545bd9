/** Refusals of operations. */
import { StockyardError } from '#libs/kernel';
import type { Operation } from './operation';

export function operationInProgress({ id, kind, state, step, parameters }: Operation): StockyardError {
  return new StockyardError({
    code: 'operation_in_progress',
    category: 'conflict',
    message: `An operation of the kind ${kind} is open for this organization; wait for it, or follow it by its id.`,
    details: { operation: { id, kind, state, step, parameters } },
  });
}

export function operationNotFound(): StockyardError {
  return new StockyardError({
    code: 'not_found',
    category: 'not_found',
    message: 'There is no operation with this id.',
  });
}

export function organizationNotFound(): StockyardError {
  return new StockyardError({
    code: 'not_found',
    category: 'not_found',
    message: 'There is no organization with this id.',
  });
}

export function notUndoable({ kind, state, step }: Operation): StockyardError {
  return new StockyardError({
    code: 'operation_not_undoable',
    category: 'conflict',
    message: `The operation is ${state} at ${step ?? 'its beginning'} and cannot be rolled back any more.`,
    details: { kind, state, step },
  });
}

export function stateLocked(state: string): StockyardError {
  return new StockyardError({
    code: 'organization_state_locked',
    category: 'conflict',
    message: `The organization is ${state}; try again when that is finished.`,
    details: { state },
  });
}

export function alreadyThere(shard: string): StockyardError {
  return new StockyardError({
    code: 'already_there',
    category: 'conflict',
    param: 'shard',
    message: `The organization lives on the shard "${shard}" already; nothing is to be moved.`,
    details: { shard },
  });
}

export function noArchive({ kind, state }: Operation): StockyardError {
  return new StockyardError({
    code: 'operation_has_no_archive',
    category: 'conflict',
    message: 'Only a completed export has an archive.',
    details: { kind, state },
  });
}

export function organizationExists(id: string): StockyardError {
  return new StockyardError({
    code: 'organization_exists',
    category: 'conflict',
    message: 'The organization of this archive is here already; delete it first, or keep it.',
    details: { organization_id: id },
  });
}

export function slugTaken(slug: string): StockyardError {
  return new StockyardError({
    code: 'slug_taken',
    category: 'conflict',
    param: 'slug',
    message: `Another organization has the slug "${slug}"; name another one for the import.`,
    details: { slug },
  });
}
