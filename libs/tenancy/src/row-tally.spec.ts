import { RowTally } from './row-tally';
import type { TenantContext } from './tenant-context';

const as = (organizationId: string, type: TenantContext['actor']['type'] = 'user'): TenantContext => ({
  organizationId,
  actor: { type, id: null },
  permissions: new Set(),
  requestId: 'r',
});
const result = (command: string, rowCount: number | null, rows = 0) => ({
  command,
  rowCount,
  rows: Array(rows).fill({}),
});

describe('the tally of rows', () => {
  it('counts answered rows as read and those of write tags as written, by tenant, until they are collected', () => {
    const tally = new RowTally();
    tally.count(as('a'), [result('SELECT', 3, 3), result('INSERT', 2, 1), result('UPDATE', 4)]);
    tally.count(as('a'), [result('DELETE', 1), result('MERGE', null)]);
    tally.count(as('b'), [result('SELECT', 0)]);
    expect([...tally.drain()]).toEqual([
      ['a', { read: 4, written: 7, queries: 5, databaseUs: 0 }],
      ['b', { read: 0, written: 0, queries: 1, databaseUs: 0 }],
    ]);
    expect([...tally.drain()]).toEqual([]);
  });

  it.each(['system', 'operator'] as const)('does not charge what is done by the %s', (actor) => {
    const tally = new RowTally();
    tally.count(as('a', actor), [result('INSERT', 5)]);
    tally.took(as('a', actor), 5);
    expect(tally.drain().size).toBe(0);
  });
});
