/** The README's table of variables, from the schema that reads them. */
import { ENVIRONMENT_SCHEMA } from '#libs/config';

interface Variable {
  readonly default?: string | number;
  readonly description?: string;
  readonly enum?: readonly string[];
}

const SECRET = /^development-only-/;

function fallback({ default: value }: Variable): string {
  if (value === undefined || value === '') return '';
  return SECRET.test(String(value)) ? '_(development only)_' : `\`${value}\``;
}

/** Markdown, one row a variable. */
export function configurationTable(): string {
  const rows = Object.entries(ENVIRONMENT_SCHEMA.properties as Record<string, Variable>).map(
    ([name, variable]) => `| \`${name}\` | ${fallback(variable)} | ${variable.description ?? ''} |`,
  );
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
