/** The address under which the client reached the api, such as `https://api.example.com`; proxies that are trusted say so. */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import type { FastifyRequest } from 'fastify';

export const PublicAddress = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const { protocol, host } = context.switchToHttp().getRequest<FastifyRequest>();
  const address = `${protocol}://${host}`;
  if (URL.canParse(address)) return address;
  throw new StockyardError({
    code: 'invalid_value',
    category: 'invalid',
    param: 'Host',
    message: 'The Host of the request is not one that a link could lead to.',
  });
});
