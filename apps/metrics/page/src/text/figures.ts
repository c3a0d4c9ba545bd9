/** Numbers and times in the page: short to read, exact in the title, and unknown where they are null. */
import { html, type nothing, type TemplateResult } from 'lit-html';
import type { Cost } from '../api/views';
import { age, exact, exactTime, money } from './format';

export type Content = TemplateResult | string | typeof nothing;

export const unknown = (why = 'Nobody could tell.'): TemplateResult =>
  html`<span class="unknown" title=${why}>unknown</span>`;

interface FigureOptions {
  /** Of the exact number: `ms`, `requests`. */
  readonly unit?: string;
  /** Why it is null. */
  readonly why?: string;
}

/** `<data value="1234567" title="1,234,567 requests">1.23 M</data>`. */
export function figure(
  value: number | null | undefined,
  format: (value: number) => string,
  { unit, why }: FigureOptions = {},
): TemplateResult {
  if (value === null || value === undefined) return unknown(why);
  const title = unit ? `${exact(value)} ${unit}` : exact(value);
  return html`<data value=${value} title=${title}>${format(value)}</data>`;
}

export function cost(amount: Cost): TemplateResult {
  if (amount === null) return unknown('Costs are not configured, or not shown to this reader.');
  const { total_micros: micros, currency } = amount;
  return html`<data value=${micros} title=${money(micros, currency, 6)}>${money(micros, currency)}</data>`;
}

/** `<time datetime title="2026-11-24 14:05:12 UTC">14:05</time>`. */
export function moment(time: string, format: (at: Date) => string): TemplateResult {
  const at = new Date(time);
  return html`<time datetime=${time} title=${exactTime(at)}>${format(at)}</time>`;
}

export const ago = (at: Date): string => `${age(Date.now() - at.getTime())} ago`;
