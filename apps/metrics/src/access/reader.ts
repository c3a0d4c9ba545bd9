/** Who reads the dashboard: an operator, or somebody of a tenant who may see what it uses. */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { notFound } from '#libs/database';
import type { Organization } from '#libs/tenancy';

export type Reader = { readonly kind: 'operator' } | { readonly kind: 'tenant'; readonly organization: Organization };

/** What the guard leaves on the request. */
export interface ReadRequest {
  reader?: Reader;
  /** Whose request it is, for its trace. */
  tenant?: { readonly organizationId: string };
}

export const CurrentReader = createParamDecorator(
  (_: unknown, context: ExecutionContext): Reader => context.switchToHttp().getRequest<ReadRequest>().reader!,
);

/** Throws `not_found` (404), as for an address that does not exist. */
export function requireOperator(reader: Reader): void {
  if (reader.kind !== 'operator') throw notFound();
}

/** Throws `not_found` (404) for another organization than the reader's own, whether there is one or not. */
export function requireReaderOf(reader: Reader, organizationId: string): void {
  if (reader.kind === 'tenant' && reader.organization.id !== organizationId) throw notFound();
}
