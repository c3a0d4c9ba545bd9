/** Results as flat figures, which targets name. */
import type { Comparison, Figures } from './bench';
import type { ComparisonResult } from './paired-rounds';

const rounded = (value: number): number => Number(value.toPrecision(4));

/** `<comparison>_ratio` is the median; its spread, the number of pairs and the median rates stand beside it. */
export function figuresOf(comparison: Comparison, result: ComparisonResult): Figures {
  const { name, subject, reference } = comparison;
  const { ratio } = result;
  return {
    [`${name}_ratio`]: rounded(ratio.median),
    [`${name}_ratio_min`]: rounded(ratio.min),
    [`${name}_ratio_q1`]: rounded(ratio.q1),
    [`${name}_ratio_q3`]: rounded(ratio.q3),
    [`${name}_ratio_max`]: rounded(ratio.max),
    [`${name}_pairs`]: result.pairs,
    [`${name}_${subject.name}_per_second`]: rounded(result.subject.median),
    [`${name}_${reference.name}_per_second`]: rounded(result.reference.median),
  };
}
