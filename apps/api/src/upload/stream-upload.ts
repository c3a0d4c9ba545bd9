/** Bodies that are taken as the streams they arrive in: one content type on one route each. */
import type { Readable } from 'node:stream';
import { createParamDecorator, type ExecutionContext, type FactoryProvider, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import type { FastifyRequest } from 'fastify';
import type { UploadPaceLimits } from './upload-pace';
import { uploadedChunks } from './uploaded-chunks';

type UploadConfig = UploadPaceLimits & Pick<AppConfig, 'UPLOAD_LIMIT_BYTES'>;

export interface StreamRoute {
  readonly contentType: string;
  /** The one route that takes it; elsewhere the content type is no known body. */
  readonly route: string;
}

class StreamBody {
  constructor(
    readonly stream: Readable,
    readonly limits: UploadPaceLimits,
  ) {}
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
    if (body instanceof StreamBody) return uploadedChunks(body.stream, body.limits);
    throw unsupported(`Send the file as the body, with Content-Type ${contentType}.`);
  },
);

/** Lets such bodies through; the store bounds their size. A length that is announced is checked at once. */
class StreamBodyParser implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly config: UploadConfig,
    private readonly accepted: StreamRoute,
  ) {}

  onModuleInit(): void {
    const { contentType, route } = this.accepted;
    const { UPLOAD_LIMIT_BYTES: limit } = this.config;
    this.host.httpAdapter.getInstance().addContentTypeParser(contentType, (request, payload, done) => {
      const announced = Number(request.headers['content-length'] ?? 0);
      const encoding = request.headers['content-encoding'] ?? 'identity';
      if (encoding.toLowerCase() !== 'identity') done(encoded(encoding));
      else if (request.routeOptions.url !== route)
        done(unsupported('Send the Content-Type that this endpoint documents.'));
      else if (announced > limit) done(tooLarge(limit));
      else done(null, new StreamBody(payload, this.config));
    });
  }
}

/** A provider for the module that serves the route. */
export function streamBodyParser(accepted: StreamRoute): FactoryProvider<OnModuleInit> {
  return {
    provide: Symbol(`body parser of ${accepted.route}`),
    inject: [HttpAdapterHost, APP_CONFIG],
    useFactory: (host: HttpAdapterHost<FastifyAdapter>, config: UploadConfig) =>
      new StreamBodyParser(host, config, accepted),
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
