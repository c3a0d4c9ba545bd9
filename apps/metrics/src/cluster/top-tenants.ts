/** Of the tenants of all shards, those that use most; what the rest used is one figure, so that the sum stays right. */

/** `null`: of the tenants that a shard did not name. */
export interface TenantValue {
  readonly tenant: string | null;
  readonly value: number;
}

export const OTHER_TENANTS = 'other';

/** At most `most` tenants and `other`, which is always there. Each shard has named its own first `most`: no other can be among them. */
export function topTenants(values: readonly TenantValue[], most: number): { tenant: string; value: number }[] {
  const named = values.flatMap(({ tenant, value }) => (tenant === null ? [] : [{ tenant, value }]));
  named.sort((one, other) => other.value - one.value || (one.tenant < other.tenant ? -1 : 1));
  const top = named.slice(0, most);
  const sum = (all: readonly { readonly value: number }[]) => all.reduce((total, { value }) => total + value, 0);
  return [...top, { tenant: OTHER_TENANTS, value: sum(values) - sum(top) }];
}
