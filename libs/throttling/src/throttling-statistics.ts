/** Counts of admissions and refusals by policy since the process started. */
import { POLICY_NAMES, type PolicyName, type Verdict } from './policy';
import { exceeded } from './verdict';

/** `refused_locally`: without asking Redis, which had said that the limit is used up. */
export const OUTCOMES = ['admitted', 'refused', 'refused_locally'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const outcomeOf = ({ admitted, by }: Verdict): Outcome =>
  admitted ? 'admitted' : by === 'memory' ? 'refused_locally' : 'refused';

export class ThrottlingStatistics {
  private readonly counts = new Map<PolicyName, Record<Outcome, number>>(
    POLICY_NAMES.map((name) => [name, { admitted: 0, refused: 0, refused_locally: 0 }]),
  );

  count(verdict: Verdict): void {
    const outcome = outcomeOf(verdict);
    if (!verdict.admitted) this.counts.get(exceeded(verdict).check.policy.name)![outcome] += 1;
    else {
      // `auth` stands there twice in a row, for account and address.
      let before: PolicyName | undefined;
      for (const { check } of verdict.measures) {
        const { name } = check.policy;
        if (name !== before) this.counts.get(name)![outcome] += 1;
        before = name;
      }
    }
  }

  snapshot(): ({ readonly policy: PolicyName } & Readonly<Record<Outcome, number>>)[] {
    return POLICY_NAMES.map((policy) => ({ policy, ...this.counts.get(policy)! }));
  }
}
