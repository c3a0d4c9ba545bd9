/** Sends the `version` of a resource as its ETag. */
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { map, type Observable } from 'rxjs';

interface Reply {
  header(name: string, value: string): unknown;
}

@Injectable()
export class EtagInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const reply = context.switchToHttp().getResponse<Reply>();
    return next.handle().pipe(
      map((body: unknown) => {
        if (typeof body === 'object' && body !== null && 'version' in body && Number.isInteger(body.version)) {
          reply.header('ETag', `"${String(body.version)}"`);
        }
        return body;
      }),
    );
  }
}
