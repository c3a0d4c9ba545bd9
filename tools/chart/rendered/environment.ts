/** The environment that a container gets from the kubelet. */
import type { KubernetesObject } from './objects';
import type { Container } from './pods';

/** Keys whose values have a form; all others are random strings to the processes. */
const FORMS: Readonly<Record<string, string>> = {
  REDIS_URL: 'rediss://:s%40cret-of-queues@redis-queue.example.com:6380',
  REDIS_CACHE_URL: 'rediss://:s%40cret-of-cache@redis-cache.example.com:6380',
  REDIS_LIMITS_URL: 'rediss://:s%40cret-of-limits@redis-limits.example.com:6380',
  DATABASE_URL: 'postgres://postgres:s%40cret@pg-one-a:5432,pg-one-b:5432/stockyard',

  DATABASE_SHARDS: '{"two":{"url":"postgres://postgres:s%40cret@pg-two-rw:5432/stockyard"}}',
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret',
};

/** A value of a secret as somebody may have set it. */
export const secretValue = (key: string): string => FORMS[key] ?? `of${key.replaceAll('_', '')}AtLeastThirtyTwoBytes`;

export interface Given {
  readonly variables: Readonly<Record<string, string>>;
  /** Named by others as `$(NAME)`. */
  readonly used: ReadonlySet<string>;
  readonly problems: readonly string[];
}

/** `optional` tells whether secrets have the keys that they need not have. */
export function environmentOf(
  container: Container,
  objects: readonly KubernetesObject[],
  { optional }: { readonly optional: boolean },
): Given {
  const [variables, used, problems]: [Record<string, string>, Set<string>, string[]] = [{}, new Set(), []];
  for (const { configMapRef } of container.envFrom ?? []) {
    const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name);
    if (!map) problems.push(`there is no ConfigMap ${configMapRef?.name}`);
    Object.assign(variables, map?.data);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const secret = valueFrom?.secretKeyRef;
    if (secret) {
      if (optional || secret.optional !== true) variables[name] = secretValue(secret.key);
      continue;
    }
    if (typeof value !== 'string') problems.push(`${name} has no value that is text`);
    // The kubelet puts in what stands further up, and leaves what it does not know as it is.
    variables[name] = String(value).replace(/\$\((\w+)\)/g, (whole, other: string) => {
      used.add(other);
      if (variables[other] === undefined) problems.push(`${name} names ${other}, which is not set before`);
      return variables[other] ?? whole;
    });
  }
  return { variables, used, problems };
}
