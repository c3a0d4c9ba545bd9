/** Which jobs a schedule may make, and with what. */
import { StockyardError } from '#libs/kernel';
import type { JobDefinition, JobRegistry } from '#libs/queues';

/** Throws `job_type_not_schedulable` (422) for a type that this release does not have or does not let tenants schedule. */
export function schedulable(registry: JobRegistry, type: string): JobDefinition {
  const definition = registry.find(type);
  if (definition?.schedulable) return definition;
  const types = registry.all().flatMap((each) => (each.schedulable ? [each.type] : []));
  throw new StockyardError({
    code: 'job_type_not_schedulable',
    category: 'unprocessable',
    param: 'job_type',
    message: `No job type "${type}" can be scheduled; choose one of ${types.join(', ') || 'none: there are none'}.`,
    details: { job_types: types },
  });
}

/** The payload as it is stored. Throws as the type's own endpoint would (400), the fields named `payload.…`. */
export function storedPayload({ version, payload: shape }: JobDefinition, data: unknown) {
  const { issues } = shape.validate(data);
  if (!issues) return { version, data };
  const errors = issues.map(({ param, code, message }) => {
    const path = param === '' ? 'payload' : `payload.${param}`;
    return { param: path, code, message: param === '' ? message : `payload.${message}` };
  });
  const { code, param, message } = errors[0]!;
  throw new StockyardError({ code, category: 'invalid', param, message, details: { errors } });
}

/** Whether this release would take a stored payload. */
export function takesPayload(
  definition: JobDefinition,
  { version, data }: { version: number; data: unknown },
): boolean {
  return version === definition.version && !definition.payload.validate(data).issues;
}
