/** The body of a text/csv request, as the stream it arrives in. */
import type { Readable } from 'node:stream';
import { createParamDecorator, type ExecutionContext, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import type { FastifyRequest } from 'fastify';

const CSV = 'text/csv';
/** The one route that takes a stream; elsewhere CSV is no known body. */
const UPLOAD_ROUTE = '/v1/imports';

class CsvBody {
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

function notHere(): StockyardError {
  return new StockyardError({
    code: 'unsupported_media_type',
    category: 'unsupported_media',
    param: 'Content-Type',
    message: 'Send the Content-Type that this endpoint documents.',
  });
}

/** Throws `unsupported_media_type` for any other body. */
export const CsvUpload = createParamDecorator((_: unknown, context: ExecutionContext): AsyncIterable<Uint8Array> => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  if (body instanceof CsvBody) return patient(body.stream);
  throw new StockyardError({
    code: 'unsupported_media_type',
    category: 'unsupported_media',
    param: 'Content-Type',
    message: `Send the file as the body, with Content-Type ${CSV}.`,
  });
});

/** Lets text/csv bodies through as streams; the store bounds their size. A length that is announced is checked at once. */
@Injectable()
export class CsvBodyParser implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'UPLOAD_LIMIT_BYTES'>,
  ) {}

  onModuleInit(): void {
    const limit = this.config.UPLOAD_LIMIT_BYTES;
    this.host.httpAdapter.getInstance().addContentTypeParser(CSV, (request, payload, done) => {
      if (request.routeOptions.url !== UPLOAD_ROUTE) {
        done(notHere());
        return;
      }
      const announced = Number(request.headers['content-length'] ?? 0);
      if (announced <= limit) done(null, new CsvBody(payload));
      else done(tooLarge(limit));
    });
  }
}

function tooLarge(limit: number): StockyardError {
  return new StockyardError({
    code: 'file_too_large',
    category: 'too_large',
    message: `The file is larger than ${limit} bytes; split it.`,
    details: { max_bytes: limit },
  });
}
