/**
 * What a run is judged by: the objective of requests (docs/slo.md), and for jobs the alert that wakes somebody, a job that waits for
 * longer than StockyardBacklogOld lets it.
 */
import { readFileSync } from 'node:fs';
import { ENVIRONMENT_SCHEMA, sloObjectives } from '#libs/config';
import { parse } from 'yaml';

export interface Objectives {
  /** Shares of all requests: answered without a failure, and within `latencySeconds`. */
  readonly availability: number;
  readonly inTime: number;
  readonly latencySeconds: number;
  /** Longest that a job may wait before the alert's clock starts, and until it fires. */
  readonly jobWaitSeconds: number;
  readonly jobAlertSeconds: number;
  /** The platform's settings by default. */
  readonly defaults: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { alert?: string; expr: string; for?: string }[] }[];
}

const ALERT = 'StockyardBacklogOld';

/** `rulesFile`: deploy/prometheus/rules/platform-alerts.yml. */
export function readObjectives(rulesFile: string): Objectives {
  const { availability, latency, latency_ms } = sloObjectives('').professional;
  const { groups } = parse(readFileSync(rulesFile, 'utf8')) as RuleFile;
  const alert = groups.flatMap(({ rules }) => rules).find((rule) => rule.alert === ALERT);
  const wait = /> *(\d+) *$/.exec(alert?.expr ?? '')?.[1];
  const minutes = /^(\d+)m$/.exec(alert?.for ?? '')?.[1];
  if (wait === undefined || minutes === undefined) throw new TypeError(`${rulesFile} has no ${ALERT} as it is known.`);
  return {
    ...{ availability, inTime: latency, latencySeconds: latency_ms / 1_000 },
    ...{ jobWaitSeconds: Number(wait), jobAlertSeconds: Number(minutes) * 60 },
    defaults: defaults(),
  };
}

function defaults(): Record<string, string> {
  const settings = Object.entries(ENVIRONMENT_SCHEMA.properties as Record<string, { default?: unknown }>);
  return Object.fromEntries(settings.map(([name, { default: value }]) => [name, String(value)]));
}
