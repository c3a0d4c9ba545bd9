/** Aggregations and binary operators of PromQL. */
import { keyOf, type Labels } from './samples';
import { type Element, PromqlError, type Value } from './value';

/** `by` (or `on`) these labels; otherwise `without` (or `ignoring`) them. */
export interface Group {
  readonly by: boolean;
  readonly names: readonly string[];
}

function labelsFor(labels: Labels, { by, names }: Group): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name) === by));
}

const AGGREGATIONS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
  avg: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  count: (values) => values.length,
};

export function aggregate(operation: string, elements: readonly Element[], group: Group): Value {
  const compute = AGGREGATIONS[operation];
  if (!compute) throw new PromqlError(`The simulation knows no aggregation ${operation}.`);
  const groups = new Map<string, { labels: Labels; values: number[] }>();
  for (const { labels, value } of elements) {
    const kept = labelsFor(labels, group);
    const found = groups.get(keyOf(kept)) ?? { labels: kept, values: [] };
    found.values.push(value);
    groups.set(keyOf(kept), found);
  }
  return [...groups.values()].map(({ labels, values }) => ({ labels, value: compute(values) }));
}

const ARITHMETIC: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
};
const COMPARISONS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '>': (left, right) => left > right,
  '<': (left, right) => left < right,
  '>=': (left, right) => left >= right,
  '<=': (left, right) => left <= right,
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
};

/** Vectors are matched one to one; a comparison keeps what is true. */
export function binary(operator: string, [left, right]: readonly [Value, Value], on: Group): Value {
  if (operator === 'or' && typeof left !== 'number' && typeof right !== 'number') {
    const there = new Set(left.map(({ labels }) => keyOf(labelsFor(labels, on))));
    return [...left, ...right.filter(({ labels }) => !there.has(keyOf(labelsFor(labels, on))))];
  }
  const compute = ARITHMETIC[operator];
  const compare = COMPARISONS[operator];
  if (!compute && !compare) throw new PromqlError(`The simulation knows no operator ${operator}.`);
  const apply = (one: number, other: number): number | undefined =>
    compute ? compute(one, other) : compare!(one, other) ? one : undefined;
  if (typeof left === 'number' && typeof right === 'number') {
    if (!compute) throw new PromqlError(`Comparisons of scalars need bool.`);
    return compute(left, right);
  }
  const elements = (labels: Labels, value: number | undefined): Element[] =>
    value === undefined ? [] : [{ labels, value }];
  if (typeof right === 'number')
    return (left as readonly Element[]).flatMap(({ labels, value }) => elements(labels, apply(value, right)));
  if (typeof left === 'number')
    return right.flatMap(({ labels, value }) => elements(labels, compute ? compute(left, value) : compare!(left, value) ? value : undefined)); // prettier-ignore
  const partners = new Map(right.map(({ labels, value }) => [keyOf(labelsFor(labels, on)), value]));
  if (partners.size < right.length) throw new PromqlError('A vector on the right matches more than once.');
  return left.flatMap(({ labels, value }) => {
    const partner = partners.get(keyOf(labelsFor(labels, on)));
    return partner === undefined ? [] : elements(labelsFor(labels, on), apply(value, partner));
  });
}
