/** The command line of `npm run migrate` and what it prints. */
import { parseArguments } from './options';
import { progressLine, schemaLines, summaryLine } from './report';

describe('the migrate command', () => {
  it('applies unless it is asked to check, and refuses what it does not know', () => {
    expect(parseArguments([])).toEqual({ check: false });
    expect(parseArguments(['--check'])).toEqual({ check: true });
    expect(() => parseArguments(['--chekc'])).toThrow(/"--chekc" is no argument[^]*--check/);
  });

  it('names shard and migration in every line', () => {
    expect(progressLine({ shard: 'two', step: 'waiting' })).toMatch(/^two: another migrator/);
    expect(progressLine({ shard: 'two', step: 'migrated', migration: 'M1', ms: 1_230 })).toBe(
      'two: M1 applied (1.23 s)',
    );
    expect(
      progressLine({ shard: 'two', step: 'blocked', migration: 'M1', attempt: 2, lockTries: 50, pauseMs: 400 }),
    ).toBe('two: M1 met a lock and was rolled back (try 2 of 50); again in 0.40 s');
    expect(summaryLine({ shard: 'main', applied: [] })).toBe('main: up to date');
    expect(summaryLine({ shard: 'main', applied: ['M1', 'M2'] })).toBe('main: 2 applied');
  });

  it('lists what is missing by shard, and shards that do not answer', () => {
    expect(schemaLines({ shard: 'main', violations: [] })).toEqual(['main: up to date']);
    expect(schemaLines({ shard: 'two', violations: [], away: 'no host of it takes writes' })).toEqual([
      'two: no host of it takes writes',
    ]);
    const violations = [{ code: 'schema_too_old', migration: 'M2', problem: 'is not applied' }] as const;
    expect(schemaLines({ shard: 'two', violations })).toEqual(['two: M2 is not applied']);
  });
});
