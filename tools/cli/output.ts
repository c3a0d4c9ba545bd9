/** What a command did, for people. */
import type { OperationBody, OrganizationBody } from './admin-api';
import type { Outcome } from './commands';
import type { LettersOutcome } from './jobs-commands';
import type { ReconciledBody } from './reconcile-command';

interface Proof {
  readonly deleted: Readonly<Record<string, unknown>>;
  readonly left: Readonly<Record<string, unknown>>;
}

export function told({ organization, operation, file, reconciled, ...letters }: Outcome): string {
  if (reconciled) return toldOfStock(reconciled);
  if (organization) return organizationLine(organization);
  if (!operation) return toldOfLetters(letters);
  if (file !== undefined) return `Exported to ${file}: ${figures(operation.result)}\n`;
  if (operation.kind === 'delete') return proof(operation);
  return `The ${operation.kind} is ${operation.state.replace('_', ' ')}${operation.result ? `: ${figures(operation.result)}` : ''}\n`;
}

function toldOfLetters({ holders, missing, letters, has_more, job, replayed, discarded }: LettersOutcome): string {
  if (job) return `Job ${job.id} is ${job.state}.\n`;
  if (discarded !== undefined) return `Discarded ${discarded}.\n`;
  if (replayed) {
    const stay = replayed.refused.map(({ id, code }) => `${id} stays (${code})\n`);
    return `${replayed.replayed} replayed.\n${stay.join('')}`;
  }
  if (holders) {
    const lines = holders.map(
      ({ organization_id, type, letters: count, oldest_failed_at, shard }) =>
        `${organization_id}  ${type}  ${count}  since ${oldest_failed_at}  ${shard}\n`,
    );
    const away = missing?.map((shard) => `The shard ${shard} did not answer.\n`) ?? [];
    return `${lines.join('') || 'No dead letters.\n'}${away.join('')}`;
  }
  const lines = letters?.map(
    ({ id, type, attempts, failed_at, error }) =>
      `${id}  ${type}  ${failed_at}  after ${attempts} runs: ${error.message} (${error.code})\n`,
  );
  return `${lines?.join('') || 'No dead letters.\n'}${has_more ? 'There are more: --limit, or --type.\n' : ''}`;
}

function toldOfStock({ levels, differences, repaired, first }: ReconciledBody): string {
  const lines = first.map(
    ({ sku, product_id, location, location_id, on_hand, moved }) =>
      `${sku ?? product_id}  ${location ?? location_id}  on hand ${on_hand}, moved ${moved}\n`,
  );
  const more = differences > first.length ? `and ${differences - first.length} more\n` : '';
  return `${levels} levels, ${differences} differ, ${repaired} repaired.\n${lines.join('')}${more}`;
}

function organizationLine({ id, slug, state, tier, epoch }: OrganizationBody): string {
  return `${slug}  ${id}  ${state}  ${tier}  epoch ${epoch}\n`;
}

function figures(facts: Readonly<Record<string, unknown>> | null): string {
  return Object.entries(facts ?? {})
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

/** One line for each thing that a tenant consists of: how much was deleted, how much is left. */
function proof({ organization_id, result }: OperationBody): string {
  const { deleted, left } = result as unknown as Proof;
  const all = { ...flat(deleted), ...flat(left) };
  const gone = flat(deleted);
  const still = flat(left);
  const width = Math.max(...Object.keys(all).map(({ length }) => length));
  const lines = Object.keys(all)
    .sort()
    .map(
      (name) =>
        `${name.padEnd(width)}  ${String(gone[name] ?? 0).padStart(9)}  ${String(still[name] ?? 0).padStart(6)}`,
    );
  const head = `${'what'.padEnd(width)}  ${'deleted'.padStart(9)}  ${'left'.padStart(6)}`;
  return `Deleted ${organization_id}; nothing is left:\n\n${[head, ...lines].join('\n')}\n`;
}

/** `{rows: {a: 1}, files: 2}` as `{rows.a: 1, files: 2}`. */
function flat(counts: Readonly<Record<string, unknown>>): Record<string, number> {
  const entries = Object.entries(counts).flatMap(([name, value]): [string, number][] =>
    typeof value === 'number'
      ? [[name, value]]
      : Object.entries(value as Record<string, number>).map(([inner, count]) => [`${name} ${inner}`, count]),
  );
  return Object.fromEntries(entries);
}
