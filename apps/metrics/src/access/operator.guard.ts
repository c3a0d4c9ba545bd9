/** The one guard of the metrics process: probes and scrapers pass, everything else needs the operators' token. */
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type Access, ACCESS_KEY } from '#libs/identity';
import type { FastifyRequest } from 'fastify';
import { requireOperatorToken } from './operator-token';

@Injectable()
export class OperatorGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'ADMIN_TOKEN'>,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const declared = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<Access | undefined>(ACCESS_KEY, declared)?.kind === 'public') return true;
    const { authorization } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    requireOperatorToken(authorization, this.config.ADMIN_TOKEN);
    return true;
  }
}
