/** A rendered Deployment. */
import type { Probe, Workload } from '../model/workload';
import { quantity } from './quantity';

interface RawProbe {
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
}
interface RawContainer {
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string | number>>;
    readonly limits?: Readonly<Record<string, string | number>>;
  };
  readonly startupProbe?: RawProbe;
  readonly readinessProbe?: RawProbe;
  readonly lifecycle?: {
    readonly preStop?: {
      readonly sleep?: { readonly seconds: number };
      readonly exec?: { readonly command: string[] };
    };
  };
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}
export interface RawDeployment {
  readonly template: { readonly spec: { readonly containers: readonly [RawContainer, ...RawContainer[]] } };
}

/** Its first container is the process. `settings`: of its ConfigMaps. */
export function readWorkload(name: string, raw: RawDeployment, settings: Readonly<Record<string, string>>): Workload {
  const [container] = raw.template.spec.containers;
  const env = Object.fromEntries((container.env ?? []).flatMap(({ name: key, value }) => (value === undefined ? [] : [[key, value]]))); // prettier-ignore
  return {
    name,
    requests: quantities(container.resources?.requests ?? container.resources?.limits),
    limits: quantities(container.resources?.limits),
    startupProbe: probe(container.startupProbe),
    readinessProbe: probe(container.readinessProbe),
    preStopSeconds: preStop(container),
    env: { ...settings, ...env },
  };
}

function quantities(raw: Readonly<Record<string, string | number>> = {}): Record<string, number> {
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, quantity(value)]));
}

/** Kubernetes' own default: every ten seconds. */
function probe(raw: RawProbe | undefined): Probe | undefined {
  return raw && { initialDelaySeconds: raw.initialDelaySeconds ?? 0, periodSeconds: raw.periodSeconds ?? 10 };
}

function preStop({ lifecycle }: RawContainer): number {
  const { sleep, exec } = lifecycle?.preStop ?? {};
  if (sleep) return sleep.seconds;
  return Number(/\bsleep\s+(\d+)/.exec(exec?.command.join(' ') ?? '')?.[1] ?? 0);
}
