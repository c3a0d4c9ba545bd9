/** Bodies that are taken as the streams they arrive in: one content type on one route each. */
import type { Readable } from 'node:stream';
import { createParamDecorator, type ExecutionContext, type FactoryProvider, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import type { FastifyRequest } from 'fastify';

export interface StreamRoute {
  readonly contentType: string;
  /** The one route that takes it; elsewhere the content type is no known body. */
  readonly route: string;
}

class StreamBody {
  constructor(readonly stream: Readable) {}
}

/**
 * The stream's bytes. Whoever stops reading half way leaves the rest to be read and thrown away: destroying the stream
 * would take the connection with it, and the client would not learn why it was refused.
 */
async function* patient(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } catch (error) {
    throw new StockyardError({
      code: 'upload_interrupted',
      category: 'invalid',
      message: 'The upload broke off; send the whole file again.',
      cause: error,
    });
  } finally {
    stream.resume();
  }
}

function unsupported(message: string): StockyardError {
  return new StockyardError({
    code: 'unsupported_media_type',
    category: 'unsupported_media',
    param: 'Content-Type',
    message,
  });
}

/** The body of the request as a stream; its argument is the content type. Throws `unsupported_media_type` for another body. */
export const StreamUpload = createParamDecorator(
  (contentType: string, context: ExecutionContext): AsyncIterable<Uint8Array> => {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (body instanceof StreamBody) return patient(body.stream);
    throw unsupported(`Send the file as the body, with Content-Type ${contentType}.`);
  },
);

/** Lets such bodies through; the store bounds their size. A length that is announced is checked at once. */
class StreamBodyParser implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly limit: number,
    private readonly accepted: StreamRoute,
  ) {}

  onModuleInit(): void {
    const { contentType, route } = this.accepted;
    this.host.httpAdapter.getInstance().addContentTypeParser(contentType, (request, payload, done) => {
      const announced = Number(request.headers['content-length'] ?? 0);
      const encoding = request.headers['content-encoding'] ?? 'identity';
      if (encoding.toLowerCase() !== 'identity') done(encoded(encoding));
      else if (request.routeOptions.url !== route)
        done(unsupported('Send the Content-Type that this endpoint documents.'));
      else if (announced > this.limit) done(tooLarge(this.limit));
      else done(null, new StreamBody(payload));
    });
  }
}

/** A provider for the module that serves the route. */
export function streamBodyParser(accepted: StreamRoute): FactoryProvider<OnModuleInit> {
  return {
    provide: Symbol(`body parser of ${accepted.route}`),
    inject: [HttpAdapterHost, APP_CONFIG],
    useFactory: (host: HttpAdapterHost<FastifyAdapter>, config: Pick<AppConfig, 'UPLOAD_LIMIT_BYTES'>) =>
      new StreamBodyParser(host, config.UPLOAD_LIMIT_BYTES, accepted),
  };
}

function encoded(encoding: string): StockyardError {
  return new StockyardError({
    code: 'unsupported_content_encoding',
    category: 'unsupported_media',
    param: 'Content-Encoding',
    message: `A body that is encoded as ${encoding.slice(0, 40)} is not taken; send the file as it is.`,
  });
}

function tooLarge(limit: number): StockyardError {
  return new StockyardError({
    code: 'file_too_large',
    category: 'too_large',
    message: `The file is larger than ${limit} bytes; split it.`,
    details: { max_bytes: limit },
  });
}
