/** Quantities of Kubernetes: `250m`, `256Mi`, `1k`, `0.5`. */

const UNITS: Readonly<Record<string, number>> = {
  ...{ '': 1, n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** Throws a TypeError for what is none. */
export function quantity(value: string | number): number {
  const [, number, unit] = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)$/.exec(String(value)) ?? [];
  const factor = UNITS[unit ?? '-'];
  if (number === undefined || factor === undefined || Number.isNaN(Number(number)))
    throw new TypeError(`"${value}" is no quantity of Kubernetes.`);
  return Number(number) * factor;
}
