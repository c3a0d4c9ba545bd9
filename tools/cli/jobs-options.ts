/** The command line of `jobs …`. */
import { UsageError } from './usage';

export type JobsCommand =
  | { readonly name: 'dead-letter-holders'; readonly limit: number | undefined }
  | {
      readonly name: 'dead-letters';
      readonly tenant: string;
      readonly type: string | undefined;
      readonly limit: number | undefined;
    }
  | { readonly name: 'replay' | 'discard'; readonly tenant: string; readonly letter: string }
  | { readonly name: 'replay-type'; readonly tenant: string; readonly type: string };

interface Values {
  readonly type?: string | undefined;
  readonly limit?: string | undefined;
}

export const JOBS_OPTIONS: Readonly<Record<string, readonly (keyof Values)[]>> = {
  'dead-letters': ['type', 'limit'],
  replay: ['type'],
  discard: [],
};

export function jobsCommand(verb: string, objects: readonly string[], values: Values): JobsCommand {
  const [tenant, letter, ...rest] = objects;
  const { type } = values;
  if (verb === 'dead-letters') return list(objects, values);
  if (tenant !== undefined && rest.length === 0) {
    if (letter !== undefined && type === undefined) return { name: verb as 'replay' | 'discard', tenant, letter };
    if (letter === undefined && type !== undefined) return { name: 'replay-type', tenant, type };
  }
  throw new UsageError(
    `jobs ${verb} takes TENANT and ${verb === 'replay' ? 'either LETTER or --type TYPE' : 'LETTER'}.`,
  );
}

function list([tenant, ...rest]: readonly string[], values: Values): JobsCommand {
  const { type } = values;
  const limit = values.limit === undefined ? undefined : Number(values.limit);
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new UsageError('--limit takes a whole number above 0.');
  if (rest.length > 0) throw new UsageError('jobs dead-letters takes one TENANT, or none.');
  if (tenant !== undefined) return { name: 'dead-letters', tenant, type, limit };
  if (type !== undefined) throw new UsageError('jobs dead-letters takes --type with a TENANT only.');
  return { name: 'dead-letter-holders', limit };
}
