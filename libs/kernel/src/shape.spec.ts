import Type, { type TSchema } from 'typebox';
import { closed, Fields, PageQuery } from './fields';
import { shape } from './shape';

const LINES = shape(
  closed({
    lines: Type.Array(
      Type.Union([
        closed({ kind: Type.Literal('goods'), sku: Fields.sku(), quantity: Fields.quantity() }),
        closed({ kind: Type.Literal('charge'), description: Fields.text(10, 'x'), price: Fields.priceMinor() }),
      ]),
      { minItems: 1 },
    ),
  }),
);

const issues = (value: unknown) => LINES.validate(value).issues?.map(({ code, param }) => `${code} ${param}`);

describe('shape', () => {
  it('accepts what fits and hands it on', () => {
    const value = { lines: [{ kind: 'goods', sku: 'A', quantity: 1 }] };
    expect(LINES.validate(value)).toEqual({ value });
  });

  it.each([
    [{}, ['missing_field lines']],
    [{ lines: [] }, ['invalid_value lines']],
    [{ lines: [{ kind: 'goods', sku: 'A', quantity: 1 }], extra: 1 }, ['unknown_field extra']],
    [{ lines: [{ kind: 'goods', sku: 'A', quantity: -1 }] }, ['invalid_value lines[0].quantity']],
    [{ lines: [{ kind: 'goods', sku: 'A', quantity: 1, note: 1 }] }, ['unknown_field lines[0].note']],
    [{ lines: [{ kind: 'charge', price: 1 }] }, ['missing_field lines[0].description']],
    [
      {
        lines: [
          { kind: 'goods', sku: 'A', quantity: 1 },
          { kind: 'charge', description: 'x', price: -1 },
        ],
      },
      ['invalid_value lines[1].price'],
    ],
    [{ lines: [{ kind: 'gift' }] }, ['invalid_value lines[0].kind']],
    ['text', ['invalid_value ']],
  ])('names the one fault of %j', (value, expected) => {
    expect(issues(value)).toEqual(expected);
  });

  it.each([
    [{ kind: 'goods', sku: 'A', quantity: 0 }, ['quantity']],
    [{ kind: 'goods', sku: 'A' }, ['quantity']],
    [{ kind: 'charge', price: 1, sku: 'A' }, ['sku', 'description']],
    [{ kind: 'gift' }, ['kind']],
  ])('names the one fault where the whole value is one of several: %j', (value, expected) => {
    const line = shape(
      (LINES.schema as unknown as { properties: { lines: { items: TSchema } } }).properties.lines.items,
    );
    const params = line.validate(value).issues?.map(({ param }) => param);
    expect(new Set(params)).toEqual(new Set(expected));
  });

  it('never throws, whatever comes', () => {
    for (const value of [undefined, null, 1, [], [[]], { lines: null }, { lines: [null, 1, 'x', []] }]) {
      expect(LINES.validate(value).issues?.length).toBeGreaterThan(0);
    }
  });

  it('converts text and fills in defaults where it is told to, without touching the input', () => {
    const query = shape(closed(PageQuery), { text: true });
    const given = { limit: '7' };
    expect(query.validate(given)).toEqual({ value: { limit: 7 } });
    expect(given).toEqual({ limit: '7' });
    expect(query.validate({})).toEqual({ value: { limit: 20 } });
    expect(query.validate({ limit: '101' }).issues?.[0]).toMatchObject({ param: 'limit', code: 'invalid_value' });
    expect(query.validate({ limit: 'many' }).issues?.[0]).toMatchObject({ param: 'limit' });
  });

  it.each([1.5, 1e18, Number.MAX_SAFE_INTEGER + 2, '1', null])('refuses the quantity %p', (quantity) => {
    expect(issues({ lines: [{ kind: 'goods', sku: 'A', quantity }] })).toEqual(['invalid_value lines[0].quantity']);
  });

  it.each(['A\0B', 'A\ud800'])('refuses the text %j, which no column can hold', (sku) => {
    expect(issues({ lines: [{ kind: 'goods', sku, quantity: 1 }] })).toEqual(['invalid_value lines[0].sku']);
  });

  it.each(['1.5', '10.0001', '1e-1', '99999999999999999999.5'])('does not cut %s to an integer', (limit) => {
    const query = shape(closed(PageQuery), { text: true });
    expect(query.validate({ limit }).issues?.[0]).toMatchObject({ param: 'limit' });
  });

  it('shows OpenAPI the schema it validates with', () => {
    expect(LINES['~standard'].jsonSchema.input()).toEqual(JSON.parse(JSON.stringify(LINES.schema)));
  });
});
