import fc from 'fast-check';
import { inOrderOfForeignKeys, type MovedTable, requireSameTables } from './moved-table';

const table = (name: string, parents: readonly string[] = []): MovedTable => ({
  name,
  parents,
  columns: [{ name: 'organization_id', type: 'uuid', fenced: true }],
  key: ['organization_id'],
  partitioned: false,
});

describe('the order of the foreign keys', () => {
  it('puts every table once, after all of its parents', () => {
    const graph = fc
      .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 12 })
      // A table refers to earlier ones only, so there is no circle; then the tables are shuffled.
      .map((edges) => edges.map((to, at) => table(`t${at}`, at === 0 ? [] : to.map((parent) => `t${parent % at}`))))
      .chain((tables) => fc.shuffledSubarray(tables, { minLength: tables.length }));
    fc.assert(
      fc.property(graph, (tables) => {
        const names = inOrderOfForeignKeys(tables).map(({ name }) => name);
        expect([...names].sort()).toEqual(tables.map(({ name }) => name).sort());
        for (const { name, parents } of tables)
          for (const parent of parents) expect(names.indexOf(parent)).toBeLessThan(names.indexOf(name));
      }),
    );
  });

  it('refuses a circle, and leaves out parents that do not move', () => {
    expect(() => inOrderOfForeignKeys([table('a', ['b']), table('b', ['a'])])).toThrow('a → b → a');
    expect(inOrderOfForeignKeys([table('a', ['plans'])])).toHaveLength(1);
  });
});

describe('the schemas of two shards', () => {
  it('differ by a table, a column or a parent, which is told by the table', () => {
    const same = [table('a'), table('b', ['a'])];
    expect(() => requireSameTables(same, [...same].reverse())).not.toThrow();
    const wider = { ...table('a'), columns: [...table('a').columns, { name: 'x', type: 'text', fenced: true }] };
    for (const [other, tables] of [
      [[table('a')], ['b']],
      [[table('a'), table('b')], ['b']],
      [[wider, table('b', ['a'])], ['a']],
    ] as const) {
      expect(() => requireSameTables(same, other)).toThrow(expect.objectContaining({ details: { tables } }));
    }
  });
});
