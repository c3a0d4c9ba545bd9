/** The exact map from job type to definition. Nothing is guessed from a name: an unknown type is refused. */
import { StockyardError } from '#libs/kernel';
import type { JobDefinition } from './job-definition';

export function unknownJobType(type: string): StockyardError {
  return new StockyardError({
    code: 'unknown_job_type',
    category: 'unprocessable',
    message: `No job type "${type.slice(0, 100)}" is registered in this release.`,
  });
}

export class JobRegistry {
  private readonly definitions = new Map<string, JobDefinition>();

  constructor(definitions: readonly JobDefinition[]) {
    for (const definition of definitions) {
      if (this.definitions.has(definition.type)) throw new Error(`Job type ${definition.type} is registered twice.`);
      this.definitions.set(definition.type, definition);
    }
  }

  find(type: string): JobDefinition | undefined {
    return this.definitions.get(type);
  }

  /** Throws `unknown_job_type` for a type that is not registered. */
  expect(type: string): JobDefinition {
    const definition = this.find(type);
    if (!definition) throw unknownJobType(type);
    return definition;
  }

  all(): readonly JobDefinition[] {
    return [...this.definitions.values()];
  }
}
