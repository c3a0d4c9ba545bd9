/** Marks a handler as a write under an Idempotency-Key and documents what that means. */
import { applyDecorators, UseInterceptors } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { IdempotentReplyInterceptor } from './idempotent-reply.interceptor';

/** `optional`: without the header, a repetition is a new request. */
export function Idempotent(need: 'required' | 'optional' = 'required'): MethodDecorator {
  return applyDecorators(
    UseInterceptors(IdempotentReplyInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: need === 'required',
      description: 'New for each new request; the same for its repetition within 24 hours, which gets the same answer.',
    }),
    ApiProblems({
      400: 'Malformed request or missing Idempotency-Key.',
      409: 'Refused by the state of things (`insufficient_stock`, `stale_quantity`, …) or still running.',
      422: 'Names something that is not there, or the key was used for another request.',
    }),
  );
}
