/** Refusals that several parts of identity share. */
import { StockyardError } from '#libs/kernel';

/** An unknown id and another organization's id are the same refusal. */
export function notFound(thing: string): StockyardError {
  return new StockyardError({
    code: 'not_found',
    category: 'not_found',
    message: `There is no ${thing} with this id.`,
  });
}

export function versionMismatch(current: number): StockyardError {
  return new StockyardError({
    code: 'version_mismatch',
    category: 'precondition_failed',
    param: 'If-Match',
    message: 'The resource was changed since you read it; read it again and repeat your change.',
    details: { current_version: current },
  });
}

export function lastOwner(): StockyardError {
  return new StockyardError({
    code: 'last_owner',
    category: 'conflict',
    message: 'This is the last active owner of the organization; make another user an owner first.',
  });
}

export function emailTaken(): StockyardError {
  return new StockyardError({
    code: 'email_taken',
    category: 'conflict',
    param: 'email',
    message: 'A user of this organization has this e-mail address already.',
  });
}
