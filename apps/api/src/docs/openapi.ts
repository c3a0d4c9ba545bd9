/** OpenAPI from the code: the document at /docs/json, a reader for it at /docs. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { AppConfig } from '#libs/config';
import { JobRegistry } from '#libs/queues';
import { describeJobTypes } from './job-types';
import { completeOperations } from './operations';

export function openApiDocument(app: NestFastifyApplication, config: Pick<AppConfig, 'version'>): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('Stockyard')
    .setDescription(
      'Multi-tenant inventory and orders. Authenticate with an API key or an access token as Bearer. ' +
        'Errors are RFC 9457 problem documents with a stable `code`.',
    )
    .setVersion(config.version)
    .setOpenAPIVersion('3.1.0') // where shapes are JSON Schema, and may be null
    .addBearerAuth({
      type: 'http',
      description: 'An API key (sk_…), an access token, or the admin token for /v1/admin.',
    })
    .build();
  const document = SwaggerModule.createDocument(app, base, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
  });
  completeOperations(document);
  describeJobTypes(document, app.get(JobRegistry, { strict: false }));
  return document;
}

export function serveDocs(app: NestFastifyApplication, config: Pick<AppConfig, 'version'>): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, config), { jsonDocumentUrl: 'docs/json' });
}
