/** The document at /docs/json: valid, and whole. */
import type { OpenAPIObject } from '@nestjs/swagger';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { operationsOf } from '../src/docs/operations';
import { call, type RunningApi, startApi } from './support/api-fixture';

describe('the OpenAPI document', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let document: OpenAPIObject;

  beforeAll(async () => {
    env = await createTestEnvironment();
    api = await startApi(env);
    document = (await call(api, 'GET', '/docs/json')).body as OpenAPIObject;
  });

  afterAll(async () => {
    await api.stop();
    await env.dispose();
  });

  /** Of the operations for which it is true, method by path. */
  const those = (is: (found: ReturnType<typeof operationsOf>[number]) => boolean) =>
    operationsOf(document)
      .filter(is)
      .map(({ path, operation }) => `${path} ${operation.operationId}`);

  it('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const copy = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
    const { valid, errors } = await new Validator().validate(copy);
    expect([valid, errors]).toEqual([true, undefined]);
  });

  it('sums up every operation', () => {
    expect(operationsOf(document).length).toBeGreaterThan(80);
    expect(those(({ operation }) => !operation.summary)).toEqual([]);
  });

  it('names what everyone is answered who may not, or not now', () => {
    const lacks = (status: string) => those(({ operation }) => !(status in operation.responses));
    expect(lacks('503')).toEqual([]);
    expect(lacks('429').filter((name) => !name.startsWith('/v1/admin/'))).toEqual([]);
    const open = those(({ operation }) => !operation.security);
    expect(open.map((name) => name.split(' ')[0]).sort()).toEqual([
      '/v1/auth/login',
      '/v1/auth/logout',
      '/v1/auth/refresh',
      '/v1/files/{sealed}',
    ]);
    expect(lacks('421').map((name) => name.split(' ')[0])).toEqual(['/v1/auth/login']); // where nothing is proven
    for (const status of ['401', '403']) expect(lacks(status).filter((name) => !open.includes(name))).toEqual([]);
    expect(document.paths['/v1/products']!.get!.responses['429']).toMatchObject({
      content: { 'application/problem+json': { schema: { required: expect.arrayContaining(['code']) as unknown } } },
    });
  });

  it('requires no parameter that has a default', () => {
    const parameters = operationsOf(document).flatMap(({ operation }) => operation.parameters ?? []);
    const limits = parameters.filter((parameter) => 'name' in parameter && parameter.name === 'limit');
    expect(limits.length).toBeGreaterThan(10);
    expect(limits.filter((parameter) => 'required' in parameter && parameter.required)).toEqual([]);
  });
});
