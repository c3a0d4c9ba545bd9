/** Numbers of a view and numbers on a page, so that a spec can hold one against the other. */
import type { Page } from 'puppeteer-core';

/** Every number in a value, with where it stands. */
export function numbersIn(value: unknown, path = ''): { path: string; value: number }[] {
  if (typeof value === 'number') return [{ path, value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersIn(inner, `${path}/${key}`));
}

/** Every text in a value, names of fields included. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)]);
}

export interface Shown {
  readonly value: number;
  readonly text: string;
  readonly title: string;
}

/** Every `<data>` of the page. */
export const shownNumbers = (page: Page): Promise<Shown[]> =>
  page.$$eval('data', (all) =>
    all.map((one) => ({ value: Number(one.value), text: one.textContent, title: one.title })),
  );

/** Texts with digits that are neither a number of the view nor a time. */
export const otherDigits = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const walker = document.createTreeWalker(document.querySelector('main')!, NodeFilter.SHOW_TEXT);
    const found: string[] = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent!.trim();
      if (/\d/.test(text) && !node.parentElement!.closest('data, time, stock-chart, .ranges')) found.push(text);
    }
    return [...new Set(found)];
  });

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  ms: 1,
  s: 1e3,
  min: 60e3,
  h: 3_600e3,
  d: 86_400e3,
  '%': 0.01,
  '×': 1,
};

/** Whether a short text says the number: within half of its last digit. Of times in seconds and money the unit is tried too. */
export function says({ text, value }: Shown): boolean {
  const match = /^(€?)(-?[\d,]+(?:\.\d+)?)\s?([^\d/]*?)(?:\/s)?$/.exec(text.trim());
  if (!match) return false;
  const [, currency, digits, unit] = match;
  const factor = UNITS[unit!];
  if (factor === undefined) return false;
  const places = digits!.split('.')[1]?.length ?? 0;
  const plain = Number(digits!.replaceAll(',', ''));
  const half = Math.max(0.5 * 10 ** -places, Math.abs(plain) * 0.005);
  const scales = currency ? [1e-6] : [1 / factor, 1000 / factor];
  return scales.some((scale) => Math.abs(value * scale - plain) <= half * 1.001);
}
