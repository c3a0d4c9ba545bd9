/** Validates every parameter that names a shape; the first issue becomes code and param, all of them stand in `errors`. */
import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';
import { isUuid, type ShapeIssue, StockyardError } from '#libs/kernel';

class InvalidInput extends Error {
  constructor(readonly issues: readonly ShapeIssue[]) {
    super('The input does not have its shape.');
  }
}

class ShapeValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => new InvalidInput(issues as unknown as readonly ShapeIssue[]) });
  }

  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    try {
      return await super.transform<T>(metadata.type === 'param' ? canonicalId(value) : value, metadata);
    } catch (error) {
      if (error instanceof InvalidInput) throw refusal(error.issues, metadata);
      throw error;
    }
  }
}

/** Ids have one spelling from here on: caches, keys and hints compare them as text. */
function canonicalId<T>(value: T): T {
  return isUuid(value) ? (value.toLowerCase() as T & string) : value;
}

/** A parameter that is a single value, such as `:id`, goes by its name; a body as a whole by `body`. */
function refusal(issues: readonly ShapeIssue[], { data, type }: ArgumentMetadata): StockyardError {
  const whole = data ?? type;
  const errors = issues.map(({ param, code, message }) => ({
    param: param === '' ? whole : param,
    code,
    message: param === '' ? message.replace(/^The value/, whole) : message,
  }));
  const [first] = errors;
  return new StockyardError({
    code: first?.code ?? 'invalid_value',
    category: 'invalid',
    param: first?.param,
    message: first?.message ?? 'The request is not valid.',
    details: { errors },
  });
}

export function validationPipe(): StandardSchemaValidationPipe {
  return new ShapeValidationPipe();
}
