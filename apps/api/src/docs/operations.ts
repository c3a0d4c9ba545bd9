/** What holds for operations whatever their handlers say of themselves: what everyone is answered who may not, or not now. */
import type { OpenAPIObject } from '@nestjs/swagger';
import { problemAnswer } from '#libs/http';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;

const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;

const UNAVAILABLE = { 503: 'A server that this needs does not answer; Retry-After says when to come back.' };
const LIMITED = { 429: 'Too many requests; Retry-After says when to come back.' };
const ELSEWHERE = {
  421: '`wrong_region`: the organization lives in another region. `endpoint` and Location say where to send the request.',
};
const AUTHENTICATED = { 401: 'Not authenticated.', 403: 'Not permitted.', ...ELSEWHERE };
/** Credentials come in their bodies, or in the path. */
const GUIDED = /^\/v1\/(auth\/(refresh|logout)|files\/\{sealed\})$/;
/** Operators are not limited. */
const UNLIMITED = /^\/v1\/admin\//;

/** Each operation of the document with its path. */
export function operationsOf(document: OpenAPIObject): { path: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] ? [{ path, operation: item[method] }] : [])),
  );
}

/** Adds those answers where a handler has none of its own. A parameter with a default need not be given. */
export function completeOperations(document: OpenAPIObject): void {
  for (const { path, operation } of operationsOf(document)) {
    const common = {
      ...(operation.security && AUTHENTICATED),
      ...(GUIDED.test(path) && ELSEWHERE),
      ...(!UNLIMITED.test(path) && LIMITED),
      ...UNAVAILABLE,
    };
    for (const [status, description] of Object.entries(common)) {
      if (!(status in operation.responses)) operation.responses[status] = problemAnswer(description);
    }
    for (const parameter of operation.parameters ?? []) {
      if ('schema' in parameter && 'default' in parameter.schema) parameter.required = false;
    }
  }
}
