/** Results as flat figures, which targets name, and as a table for documents. */
import type { Comparison, Figures } from './bench';
import type { ComparisonResult } from './paired-rounds';

export interface Measured {
  readonly comparison: Comparison;
  readonly result: ComparisonResult;
}

const UNITS = { rate: 'per_second', p50: 'p50_ms', own: 'figure' } as const;

const rounded = (value: number): number => Number(value.toPrecision(4));

/**
 * `<comparison>_ratio` is the median; its spread, the number of pairs and the median figures of both stand beside it. With
 * `p50` they are called `<comparison>_p50_ratio`, and so on, and the figures are milliseconds; with `own` they are the contestants'.
 */
export function figuresOf({ comparison, result }: Measured): Figures {
  const { subject, reference, measures = 'rate' } = comparison;
  const { ratio } = result;
  const name = measures === 'p50' ? `${comparison.name}_p50` : comparison.name;
  const unit = UNITS[measures];
  return {
    [`${name}_ratio`]: rounded(ratio.median),
    [`${name}_ratio_min`]: rounded(ratio.min),
    [`${name}_ratio_q1`]: rounded(ratio.q1),
    [`${name}_ratio_q3`]: rounded(ratio.q3),
    [`${name}_ratio_max`]: rounded(ratio.max),
    [`${name}_pairs`]: result.pairs,
    [`${comparison.name}_${subject.name}_${unit}`]: rounded(result.subject.median),
    [`${comparison.name}_${reference.name}_${unit}`]: rounded(result.reference.median),
  };
}

/** A Markdown table with a row for each comparison. */
export function markdownOf(measured: readonly Measured[]): string {
  const rows = measured.map(({ comparison, result }) => {
    const { name, subject, reference, measures = 'rate' } = comparison;
    const show = (value: number): string => {
      if (measures === 'p50') return `${value.toFixed(2)} ms`;
      return `${Math.round(value).toLocaleString('en')}${measures === 'rate' ? '/s' : ''}`;
    };
    const { median, q1, q3 } = result.ratio;
    const cells = [
      name,
      `${subject.name} ${show(result.subject.median)}`,
      `${reference.name} ${show(result.reference.median)}`,
      median.toFixed(2),
      `${q1.toFixed(2)}–${q3.toFixed(2)}`,
      String(result.pairs),
    ];
    return `| ${cells.join(' | ')} |\n`;
  });
  return `| comparison | subject | reference | ratio | quartiles | rounds |\n| --- | --- | --- | --- | --- | --- |\n${rows.join('')}`;
}
