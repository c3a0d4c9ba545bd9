/** Which releases run on which schemas. The model: releases bring migrations in order; each may shut out older releases. */
import fc from 'fast-check';
import type { LedgerEntry } from './ledger';
import { checkSchema, requireSchema } from './schema-check';

const database = (ledger: readonly LedgerEntry[]) => ({ query: () => Promise.resolve({ rows: [...ledger] }) });
const named = (...names: string[]) => names.map((name) => ({ name }));
const closed = (code: string) => ({ query: () => Promise.reject(Object.assign(new Error('refused'), { code })) });

describe('the check of a schema', () => {
  it('lets a release run on exactly the schemas that have its migrations and need none it lacks', async () => {
    // needs[i] is how far back migration i reaches: it shuts out releases that do not know migration i - needs[i].
    const histories = fc
      .array(fc.option(fc.nat({ max: 5 }), { nil: null }), { minLength: 1, maxLength: 12 })
      .chain((needs) =>
        fc.record({
          needs: fc.constant(needs),
          release: fc.nat({ max: needs.length }),
          schema: fc.nat({ max: needs.length }),
        }),
      );
    await fc.assert(
      fc.asyncProperty(histories, async ({ needs, release, schema }) => {
        const needed = needs.map((back, index) => (back === null ? null : Math.max(0, index - back)));
        const ledger = needed
          .slice(0, schema)
          .map((oldest, index) => ({ name: `m${index}`, needs: oldest === null ? null : `m${oldest}` }));
        const known = named(...needs.slice(0, release).map((_, index) => `m${index}`));
        const codes = new Set((await checkSchema(database(ledger), known)).map(({ code }) => code));
        expect(codes.has('schema_too_old')).toBe(release > schema);
        expect(codes.has('schema_too_new')).toBe(
          needed.slice(0, schema).some((oldest) => oldest !== null && oldest >= release),
        );
      }),
    );
  });

  it('takes a ledger that is missing or closed to it for an empty one, and passes other errors on', async () => {
    for (const code of ['42P01', '42501']) {
      await expect(checkSchema(closed(code), named('m0'))).resolves.toEqual([
        { code: 'schema_too_old', migration: 'm0', problem: 'is not applied' },
      ]);
    }
    await expect(checkSchema(closed('57P01'), named('m0'))).rejects.toMatchObject({ code: '57P01' });
  });

  it('refuses with what to do: migrate an old schema, deploy another release on a new one', async () => {
    await expect(requireSchema('two', database([]), named('m0'))).rejects.toMatchObject({
      code: 'schema_too_old',
      message: expect.stringMatching(/"two" is older[^]*npm run migrate[^]*m0 is not applied/) as string,
    });
    const broken = [
      { name: 'm0', needs: null },
      { name: 'm1', needs: 'm1' },
    ];
    await expect(requireSchema('two', database(broken), named('m0', 'other'))).rejects.toMatchObject({
      code: 'schema_too_new',
      message: expect.stringMatching(/"two" is newer[^]*deploy[^]*m1 breaks releases without it/) as string,
    });
    await expect(requireSchema('two', database(broken), named('m0', 'm1'))).resolves.toBeUndefined();
  });
});
