/** Parameters of a handler that come from headers, checked. */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';

interface RequestHeaders {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

function header(context: ExecutionContext, name: string): string | undefined {
  const value = context.switchToHttp().getRequest<RequestHeaders>().headers[name];
  return Array.isArray(value) ? value[0] : value;
}

const PRINTABLE = /^[\x21-\x7e]{1,255}$/;

/** The Idempotency-Key: 1 to 255 printable ASCII characters. Required, but for `'optional'`. */
export const IdempotencyKey = createParamDecorator((need: 'optional' | undefined, context: ExecutionContext) => {
  const key = header(context, 'idempotency-key');
  if (key !== undefined && PRINTABLE.test(key)) return key;
  if (key === undefined && need === 'optional') return undefined;
  throw new StockyardError({
    code: key === undefined ? 'idempotency_key_required' : 'invalid_idempotency_key',
    category: 'invalid',
    param: 'Idempotency-Key',
    message: 'Send an Idempotency-Key header of 1 to 255 printable ASCII characters, new for each new request.',
  });
});

const MAX_VERSION = 2 ** 31 - 1;
const ENTITY_TAG = /^(?:W\/)?"(\d{1,15})"$/;

/** The version in If-Match, or undefined where the header is absent or `*`. */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): number | undefined => {
  const value = header(context, 'if-match')?.trim();
  if (value === undefined || value === '*') return undefined;
  const match = ENTITY_TAG.exec(value);
  // Versions are 32-bit; a larger one is well-formed and never matches.
  if (match) return Number(match[1]) > MAX_VERSION ? -1 : Number(match[1]);
  throw new StockyardError({
    code: 'invalid_if_match',
    category: 'invalid',
    param: 'If-Match',
    message: 'Send the ETag of the resource as you read it, such as If-Match: "3".',
  });
});
