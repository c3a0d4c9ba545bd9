/** Sends the newest consistency token with the answer, an error's too: what was written before it counts. */
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { catchError, from, mergeMap, type Observable, throwError } from 'rxjs';
import { ConsistencyService } from './consistency.service';

@Injectable()
export class ConsistencyInterceptor implements NestInterceptor {
  constructor(private readonly consistency: ConsistencyService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      mergeMap(async (body: unknown) => {
        await this.send(reply);
        return body;
      }),
      catchError((error: unknown) => from(this.send(reply)).pipe(mergeMap(() => throwError(() => error)))),
    );
  }

  private async send(reply: FastifyReply): Promise<void> {
    const token = await this.consistency.close();
    if (token !== undefined && !reply.sent) reply.header('X-Consistency-Token', token);
  }
}
