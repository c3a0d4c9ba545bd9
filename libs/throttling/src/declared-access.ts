/** Whom a handler serves: the metadata that libs/identity's decorators set; identity is domain and cannot be imported here. */
import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

const ACCESS_KEY = 'stockyard:access';

export interface DeclaredAccess {
  readonly kind?: string;
  readonly permission?: string | null;
}

export function declaredAccess(reflector: Reflector, context: ExecutionContext): DeclaredAccess | undefined {
  return reflector.getAllAndOverride<DeclaredAccess | undefined>(ACCESS_KEY, [
    context.getHandler(),
    context.getClass(),
  ]);
}
