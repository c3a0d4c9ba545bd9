/** What the list of migrations promises: order, names, and a statement about the releases before each. */
import { MIGRATIONS } from '#migrations';
import { type MigrationClass, neededBy } from './migration';

const LIST: readonly MigrationClass[] = MIGRATIONS;

describe('the list of migrations', () => {
  it('is in the order of the timestamps that end the names', () => {
    const timestamps = LIST.map(({ name }) => Number(/\d{13}$/.exec(name)?.[0]));
    expect(timestamps.every(Number.isSafeInteger)).toBe(true);
    expect(timestamps).toEqual([...new Set(timestamps)].sort((a, b) => a - b));
  });

  it.each(LIST.map((migration) => [migration.name, migration] as const))(
    '%s says whether the previous release still runs, and why',
    (name, { compatibility }) => {
      expect(['previous_release_runs', 'breaking']).toContain(compatibility.kind);
      expect(compatibility.reason).toMatch(/^[A-Z].{10,}\.$/);
      if (compatibility.kind === 'previous_release_runs' && compatibility.oldest !== undefined) {
        const names = LIST.map((each) => each.name);
        expect(names.slice(0, names.indexOf(name))).toContain(compatibility.oldest);
      }
    },
  );

  it('shuts out nobody by what only adds, the releases without it by what breaks, older ones by a contraction', () => {
    const migration = (compatibility: MigrationClass['compatibility']) =>
      neededBy({ name: 'This1', compatibility } as MigrationClass);
    expect(migration({ kind: 'previous_release_runs', reason: '' })).toBeNull();
    expect(migration({ kind: 'breaking', reason: '' })).toBe('This1');
    expect(migration({ kind: 'previous_release_runs', reason: '', oldest: 'Expand0' })).toBe('Expand0');
  });
});
