/** Which types of jobs clients may create, and their payloads: known to the registry, not to the handler that takes them. */
import type { OpenAPIObject } from '@nestjs/swagger';
import type { JobRegistry } from '#libs/queues';

interface CreateJobSchema {
  properties?: Record<string, object>;
}

/** Puts them into the document where jobs are created. */
export function describeJobTypes(document: OpenAPIObject, registry: JobRegistry): void {
  const body = document.paths['/v1/jobs']?.post?.requestBody;
  const content = body && 'content' in body ? body.content['application/json'] : undefined;
  const properties = (content?.schema as CreateJobSchema | undefined)?.properties;
  const creatable = registry.all().filter((definition) => definition.creatable);
  if (!properties || creatable.length === 0) return;
  const payloads = creatable.map(({ type, payload }) => ({ title: type, ...payload['~standard'].jsonSchema.input() }));
  properties.type = { ...properties.type, enum: creatable.map(({ type }) => type) };
  properties.payload = { description: 'What the type asks for.', anyOf: payloads };
}
