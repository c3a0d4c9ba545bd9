/**
 * The one guard of the metrics process: probes and scrapers pass; what a tenant may see, as its permission says, is for operators
 * too; everything else needs the operators' token.
 */
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type Access, ACCESS_KEY, bearerToken } from '#libs/identity';
import type { FastifyRequest } from 'fastify';
import { requireOperatorToken } from './operator-token';
import type { ReadRequest } from './reader';
import { ReaderService } from './reader.service';

@Injectable()
export class MetricsGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly readers: ReaderService,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'ADMIN_TOKEN'>,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const declared = [context.getHandler(), context.getClass()];
    const request = context.switchToHttp().getRequest<FastifyRequest & ReadRequest>();
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS_KEY, declared);
    switch (access?.kind) {
      case 'public':
        return true;
      case 'tenant':
        request.reader = await this.readers.identify(bearerToken(request), access.permission);
        if (request.reader.kind === 'tenant') request.tenant = { organizationId: request.reader.organization.id };
        return true;
      default:
        requireOperatorToken(request.headers.authorization, this.config.ADMIN_TOKEN);
        return true;
    }
  }
}
