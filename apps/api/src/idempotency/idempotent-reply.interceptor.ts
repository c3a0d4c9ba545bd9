/** Sends the answer of a write under an Idempotency-Key: its status, its body, and whether it was replayed. */
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { IdempotentReply } from '#libs/idempotency';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';

@Injectable()
export class IdempotentReplyInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((answer: unknown) => {
        if (!(answer instanceof IdempotentReply)) return answer;
        const { body } = answer as IdempotentReply;
        reply.status(answer.status);
        if (answer.replayed) reply.header('Idempotent-Replayed', 'true');
        return body;
      }),
    );
  }
}
