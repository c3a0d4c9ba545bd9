/**
 * What an hour of a pod costs, from COST_MODEL (docs/costs.md): the month's bill for compute pays for the pods that are always there,
 * the minimum of each autoscaler, so that a pod more costs what one of those does.
 */
import { readFileSync } from 'node:fs';
import { type CostModel, costModel } from '#libs/config';
import type { ChartPolicies, ScalerSpec } from './chart/read-chart';

/** Of an average month. */
const HOURS_A_MONTH = 730;

export interface PodPrice {
  readonly currency: string;
  readonly perHour: number;
}

/** The example of docs/costs.md. */
export function exampleCostModel(page: string): string {
  const found = /```json\n(\{[^]*?\n\})\n```/.exec(readFileSync(page, 'utf8'))?.[1];
  if (found === undefined) throw new TypeError(`${page} has no example of a COST_MODEL.`);
  return found;
}

export function podPrice(model: string, chart: ChartPolicies): PodPrice {
  const { currency, compute }: Partial<CostModel> = costModel(model) ?? {};
  const pods = [chart.api, ...chart.workers].reduce((sum, { scaler }) => sum + leastPods(scaler), 0);
  const bill = compute?.per_month ?? (compute?.unit_price ?? 0) * (compute?.capacity ?? 0);
  return { currency: currency ?? '', perHour: bill / HOURS_A_MONTH / Math.max(pods, 1) };
}

const leastPods = (scaler: ScalerSpec): number =>
  scaler.kind === 'hpa' ? scaler.hpa.minReplicas : scaler.scaledObject.minReplicaCount;
