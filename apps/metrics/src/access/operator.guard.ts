/** The one guard of the metrics process: probes and scrapers pass, everything else needs the operators' token. */
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type Access, ACCESS_KEY, credentialError } from '#libs/identity';
import { constantTimeEqual } from '#libs/kernel';
import type { FastifyRequest } from 'fastify';

const BEARER = /^Bearer +(\S{1,4096})$/i;

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
    if (authorization === undefined) throw credentialError('authentication_required');
    const token = BEARER.exec(authorization)?.[1] ?? '';
    if (!constantTimeEqual(token, this.config.ADMIN_TOKEN)) throw credentialError('invalid_token');
    return true;
  }
}
