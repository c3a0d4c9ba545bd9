/** Documents the problem documents that a handler answers with. */
import { applyDecorators } from '@nestjs/common';
import type * as Swagger from '@nestjs/swagger';
import { shape } from '#libs/kernel';
import Type from 'typebox';

const PROBLEM = shape(
  Type.Object({
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable reason, snake_case.' }),
    detail: Type.String(),
    param: Type.Optional(Type.String({ description: 'The field or header at fault.' })),
    request_id: Type.String(),
  }),
);

/** An answer that is a problem document, as OpenAPI has it. */
export const problemAnswer = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: PROBLEM.schema } },
});

/** `descriptions` maps a status to what it means here. */
export function ApiProblems(descriptions: Readonly<Record<number, string>>): MethodDecorator & ClassDecorator {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- where something is documented: in the api only
  const { ApiResponse } = require('@nestjs/swagger') as typeof Swagger;
  return applyDecorators(
    ...Object.entries(descriptions).map(([status, description]) =>
      ApiResponse({ status: Number(status), ...problemAnswer(description) }),
    ),
  );
}
