/**
 * Counts `api_calls`: every request of a tenant that was let in, whatever came of it, and has its answer counted. Refused
 * ones cost nothing.
 */
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { TenantContextHolder } from '#libs/tenancy';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { CallRecorder } from './call-recorder';

@Injectable()
export class ApiCallInterceptor implements NestInterceptor {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly recorder: CallRecorder,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const caller = context.getType() === 'http' ? this.tenant.peek() : undefined;
    if (caller) {
      const http = context.switchToHttp();
      this.recorder.record(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), caller.organizationId);
    }
    return next.handle();
  }
}
