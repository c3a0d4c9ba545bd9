/**
 * Counts `api_calls`: every request of a tenant that was let in, whatever came of it, and has its answer counted. Refused
 * ones cost nothing.
 */
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { TenantContextHolder } from '#libs/tenancy';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { ResponseBytes } from './response-bytes';
import { UsageMeter } from './usage-meter';

@Injectable()
export class ApiCallInterceptor implements NestInterceptor {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly meter: UsageMeter,
    private readonly bytes: ResponseBytes,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const caller = context.getType() === 'http' ? this.tenant.peek() : undefined;
    if (caller) {
      this.meter.count(caller.organizationId, 'api_calls');
      this.bytes.charge(context.switchToHttp().getRequest<FastifyRequest>(), caller.organizationId);
    }
    return next.handle();
  }
}
