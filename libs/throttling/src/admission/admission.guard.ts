/**
 * Last of the global guards: lets a request in when there is room for it. Who may not do it, or is over a rate, takes no place from
 * others. Operators and probes pass, so that an overloaded process can be seen and helped.
 */
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { TenantContextHolder } from '#libs/tenancy';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { declaredAccess } from '../declared-access';
import { AdmissionControl } from './admission-control';
import { type Admission, ADMISSION_KEY } from './admission.decorator';

const UNDECLARED: Admission = { priority: 'interactive' };

@Injectable()
export class AdmissionGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tenant: TenantContextHolder,
    private readonly control: AdmissionControl,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const admission = this.admissionOf(context);
    if (!admission) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const byLink = declaredAccess(this.reflector, context)?.kind === 'link';
    await this.control.admit({ request, reply, admission, byLink, organizationId: this.tenant.peek()?.organizationId });
    return true;
  }

  /** None for who passes. */
  protected admissionOf(context: ExecutionContext): Admission | undefined {
    const declared = this.reflector.getAllAndOverride<Admission | undefined>(ADMISSION_KEY, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (declared) return declared;
    const kind = declaredAccess(this.reflector, context)?.kind;
    return kind === 'public' || kind === 'operators' ? undefined : UNDECLARED;
  }
}
