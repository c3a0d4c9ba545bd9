/** Rendered objects of Kubernetes, as far as the specs of the chart look into them. */
import { parseAllDocuments } from 'yaml';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

export type Labels = Readonly<Record<string, string>>;

/** As Helm and the API server read it: YAML 1.1, where `off` without quotes is no text. Throws for what is no YAML, for a key that is there twice, and for a document that is no object of Kubernetes. */
export function readObjects(text: string): KubernetesObject[] {
  const documents = parseAllDocuments(text, { version: '1.1' });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    for (const error of document.errors) throw new TypeError(`What was rendered is no YAML: ${error.message}`);
    const value = document.toJS() as Partial<KubernetesObject> | null;
    if (value === null) return [];
    if (typeof value.apiVersion === 'string' && typeof value.kind === 'string' && value.metadata?.name)
      return [value as KubernetesObject];
    throw new TypeError(`What was rendered is no object of Kubernetes: ${JSON.stringify(value).slice(0, 200)}`);
  });
}

/** `Deployment/name`. */
export const titleOf = ({ kind, metadata }: KubernetesObject): string => `${kind}/${metadata.name}`;
