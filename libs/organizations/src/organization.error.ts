/** Refusals of organization changes. */
import { StockyardError } from '#libs/kernel';
import type { OrganizationState } from '#libs/tenancy';

export function notFound(): StockyardError {
  return new StockyardError({
    code: 'not_found',
    category: 'not_found',
    message: 'There is no organization with this id.',
  });
}

export function slugTaken(): StockyardError {
  return new StockyardError({
    code: 'slug_taken',
    category: 'conflict',
    param: 'slug',
    message: 'Another organization has this slug; choose a different one.',
  });
}

export function slugReserved(): StockyardError {
  return new StockyardError({
    code: 'slug_reserved',
    category: 'conflict',
    param: 'slug',
    message: 'A slug may not have the form of an id; choose a different one.',
  });
}

export function stateLocked(state: OrganizationState): StockyardError {
  return new StockyardError({
    code: 'organization_state_locked',
    category: 'conflict',
    param: 'state',
    message: `The organization is ${state}; its state can be set again when that is finished.`,
    details: { state },
  });
}

export function versionMismatch(current: number): StockyardError {
  return new StockyardError({
    code: 'version_mismatch',
    category: 'precondition_failed',
    param: 'If-Match',
    message: 'The organization was changed since you read it; read it again and repeat your change.',
    details: { current_version: current },
  });
}
