/** Counts of admissions and refusals by policy since the process started. */
import { POLICY_NAMES, type PolicyName, type Verdict } from './policy';
import { exceeded } from './verdict';

export class ThrottlingStatistics {
  private readonly admitted = new Map<PolicyName, number>(POLICY_NAMES.map((name) => [name, 0]));
  private readonly refused = new Map<PolicyName, number>(POLICY_NAMES.map((name) => [name, 0]));

  count(verdict: Verdict): void {
    const counted = verdict.admitted
      ? new Set(verdict.measures.map(({ check }) => check.policy.name))
      : [exceeded(verdict).check.policy.name];
    const counts = verdict.admitted ? this.admitted : this.refused;
    for (const name of counted) counts.set(name, counts.get(name)! + 1);
  }

  snapshot(): { readonly policy: PolicyName; readonly admitted: number; readonly refused: number }[] {
    return POLICY_NAMES.map((policy) => ({
      policy,
      admitted: this.admitted.get(policy)!,
      refused: this.refused.get(policy)!,
    }));
  }
}
