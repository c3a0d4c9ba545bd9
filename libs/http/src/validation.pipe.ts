/** Validates every parameter that names a shape; the first issue becomes code and param, all of them stand in `errors`. */
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { type ShapeIssue, StockyardError } from '#libs/kernel';

export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (found) => {
      const issues = found as unknown as readonly ShapeIssue[];
      const first = issues[0];
      return new StockyardError({
        code: first?.code ?? 'invalid_value',
        category: 'invalid',
        param: first?.param,
        message: first?.message ?? 'The request is not valid.',
        details: { errors: issues.map(({ param, code, message }) => ({ param, code, message })) },
      });
    },
  });
}
