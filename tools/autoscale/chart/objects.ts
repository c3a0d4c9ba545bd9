/** Rendered objects of Kubernetes: only what is read of them. */
import { parseAllDocuments } from 'yaml';

export interface KubeObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

/** All documents of a rendered chart that are objects. Throws for what is no YAML. */
export function readObjects(text: string): KubeObject[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new TypeError(`The rendered chart is no YAML: ${error.message}`);
    const value = document.toJS() as KubeObject | null;
    return value && typeof value === 'object' && 'kind' in value ? [value] : [];
  });
}
