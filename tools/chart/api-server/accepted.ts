/** Asks a real API server to accept rendered objects. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '#libs/local-stack';
import { parse } from 'yaml';
import { type KubernetesObject, titleOf } from '../rendered/objects';
import { moduleDirectories } from '../schemas/modules';
import type { ApiServer, Reply, Resource } from './api-server';

export class Acceptance {
  private readonly resources = new Map<string, readonly Resource[]>();

  constructor(private readonly server: ApiServer) {}

  /** The kinds of KEDA and the Prometheus operator, from their modules. Resolves when the server knows them. */
  async addKinds(): Promise<void> {
    const { keda, monitoring } = moduleDirectories();
    const directories = [
      [join(keda, 'config/crd/bases'), /^keda\.sh_(scaledobjects|triggerauthentications)/],
      [join(monitoring, 'example/prometheus-operator-crd'), /_(prometheusrules|servicemonitors)/],
    ] as const;
    for (const [directory, wanted] of directories)
      for (const file of readdirSync(directory).filter((name) => wanted.test(name))) {
        const definition = parse(readFileSync(join(directory, file), 'utf8')) as KubernetesObject;
        const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
        fine(await this.server.call('POST', path, definition));
        const { group, versions } = definition.spec as { group: string; versions: { name: string }[] };
        const { kind } = (definition.spec as { names: Resource }).names;
        const isServed = async (): Promise<boolean | undefined> => {
          const { body } = await this.server.call('GET', `/apis/${group}/${versions[0]!.name}`);
          return body.resources?.some((one) => one.kind === kind);
        };
        await waitFor(isServed, { what: `${file} to be served`, timeoutMs: 60_000 });
      }
  }

  /** Its pods are to be as restricted as Kubernetes can ask for; what is not is warned of, as Deployments are no pods yet. */
  async addNamespace(name: string): Promise<void> {
    const labels = Object.fromEntries(
      ['enforce', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
    );
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    fine(await this.server.call('POST', '/api/v1/namespaces', namespace));
  }

  /** What the server has against an object, which is not kept. */
  async problems(object: KubernetesObject, namespace: string): Promise<string[]> {
    const [resource] = (await this.resourcesOf(object.apiVersion)).filter(
      ({ kind, name }) => kind === object.kind && !name.includes('/'),
    );
    if (!resource) return [`${titleOf(object)}: the server does not know ${object.apiVersion} ${object.kind}`];
    const { metadata } = object;
    const path = `${rootOf(object.apiVersion)}/namespaces/${metadata.namespace ?? namespace}/${resource.name}`;
    const query = 'dryRun=All&fieldValidation=Strict&fieldManager=stockyard';
    const created = await this.server.call('POST', `${path}?${query}`, object);
    const applied = await this.server.call(
      'PATCH',
      `${path}/${metadata.name}?${query}`,
      object,
      'application/apply-patch+yaml',
    );
    return [created, applied].flatMap((reply) => [
      ...(reply.status < 300 ? [] : [`${titleOf(object)}: ${reply.status} ${reply.body.message ?? ''}`]),
      ...reply.warnings.map((warning) => `${titleOf(object)}: warning: ${warning}`),
    ]);
  }

  private async resourcesOf(apiVersion: string): Promise<readonly Resource[]> {
    const known = this.resources.get(apiVersion);
    if (known) return known;
    const reply = await this.server.call('GET', rootOf(apiVersion));
    const found = reply.body.resources ?? [];
    this.resources.set(apiVersion, found);
    return found;
  }
}

const rootOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

function fine({ status, body }: Reply): void {
  if (status >= 300) throw new Error(`The API server answered ${status}: ${JSON.stringify(body).slice(0, 500)}`);
}
