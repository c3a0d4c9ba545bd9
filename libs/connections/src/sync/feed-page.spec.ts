import { checkedRows, feedPage, PAGE_ROWS } from './feed-page';

const page = (body: unknown, type = 'application/json') =>
  feedPage({
    headers: { 'content-type': type },
    body: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });
const ROW = { sku: 'A', on_hand: 1 };
const END = { data: [], has_more: false };

describe('feedPage', () => {
  it('takes the frame, and leaves alone what it does not know', () => {
    expect(page({ data: [ROW], has_more: true, next_cursor: 'x', took_ms: 3 })).toEqual({
      ...{ rows: [ROW], hasMore: true, nextCursor: 'x' },
    });
    expect(page(END)).toEqual({ rows: [], hasMore: false, nextCursor: null });
    expect(page({ ...END, next_cursor: null }).nextCursor).toBeNull();
  });

  it('does not lose its footing where somebody nests without an end', () => {
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
    expect(page(`{"data":[],"has_more":false,"more":${deep}}`).rows).toEqual([]);
    expect(() => page(deep)).toThrow(expect.objectContaining({ code: 'bad_page' }));
    expect(() => page(`{"data":[],"has_more":${deep}}`)).toThrow(/has_more must be boolean/);
    const rest = `"on_hand":1,"more":${deep}`;
    const { rows } = page(`{"data":[{"sku":"A",${rest}},{"sku":${deep},"on_hand":1}],"has_more":false}`);
    const { counts, errors } = checkedRows(rows, 0, null);
    expect(counts.map(({ line }) => line)).toEqual([1]);
    expect(errors).toMatchObject([{ line: 2, field: 'sku' }]);
  });

  it.each([
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/vnd.shop+json',
    'application/json ;x=y',
  ])('takes %s', (type) => {
    expect(page(END, type).rows).toEqual([]);
  });

  it.each([
    ['another content type', JSON.stringify(END), 'text/html', /"text\/html"; it must be application\/json/],
    ['none', JSON.stringify(END), '', /content type/],
    ['a type that only begins like it', JSON.stringify(END), 'application/jsonp', /content type/],
    ['what is not JSON', '{"data":[', undefined, /not JSON/],
    ['nothing', '', undefined, /not JSON/],
    ['what is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), undefined, /not UTF-8/],
    ['another frame', [], undefined, /page is not as it should be/],
    ['null', 'null', undefined, /must be object/],
    ['a number', '7', undefined, /must be object/],
    ['no data', { has_more: false }, undefined, /data is required/],
    ['data that is no list', { ...END, data: {} }, undefined, /data must be array/],
    ['no has_more', { data: [] }, undefined, /has_more is required/],
    ['a has_more that is no boolean', { ...END, has_more: 'no' }, undefined, /has_more must be boolean/],
    ['a cursor that is no text', { ...END, next_cursor: 7 }, undefined, /next_cursor/],
    ['an empty cursor', { ...END, next_cursor: '' }, undefined, /next_cursor/],
    ['a cursor that is too long', { ...END, next_cursor: 'x'.repeat(2_049) }, undefined, /next_cursor/],
    ['a cursor that no column can hold', { ...END, next_cursor: 'a\0' }, undefined, /next_cursor/],
    ['more without a cursor', { data: [ROW], has_more: true }, undefined, /names no next_cursor/],
    ['too many rows', { ...END, data: Array(PAGE_ROWS + 1).fill(ROW) }, undefined, /501 rows; 500/],
  ] as const)('refuses %s and says so', (_what, body, type, message) => {
    expect(() => page(body, type)).toThrow(expect.objectContaining({ code: 'bad_page', isTransient: false }));
    expect(() => page(body, type)).toThrow(message);
  });
});

describe('checkedRows', () => {
  const at = '2026-11-25T12:00:00+01:00';

  it('numbers rows over the whole sync, and puts the connection’s location where a row has none', () => {
    const rows = [ROW, { ...ROW, location: 'SHOP', occurred_at: at }, { ...ROW, location: null, colour: 'red' }];
    expect(checkedRows(rows, 500, 'HALL').counts).toEqual([
      { line: 501, sku: 'A', location: 'HALL', quantity: 1, occurredAt: null },
      { line: 502, sku: 'A', location: 'SHOP', quantity: 1, occurredAt: at },
      { line: 503, sku: 'A', location: 'HALL', quantity: 1, occurredAt: null },
    ]);
    expect(checkedRows([ROW], 0, null).counts[0]!.location).toBeNull();
  });

  it.each([
    [{ on_hand: 1 }, 'missing_field', 'sku', /sku is required\.$/],
    [{ sku: 'A' }, 'missing_field', 'on_hand', /on_hand is required\. SKU A\.$/],
    [{ ...ROW, sku: ' A' }, 'invalid_value', 'sku', /sku/],
    [{ ...ROW, sku: 7 }, 'invalid_value', 'sku', /sku must be string/],
    [{ ...ROW, sku: 'a\0b' }, 'invalid_value', 'sku', /not text\. SKU ab\.$/],
    [{ ...ROW, sku: 'x'.repeat(65) }, 'invalid_value', 'sku', /64/],
    [{ ...ROW, on_hand: -1 }, 'invalid_value', 'on_hand', /on_hand/],
    [{ ...ROW, on_hand: 1.5 }, 'invalid_value', 'on_hand', /on_hand/],
    [{ ...ROW, on_hand: '7' }, 'invalid_value', 'on_hand', /on_hand/],
    [{ ...ROW, on_hand: 1_000_000_001 }, 'invalid_value', 'on_hand', /on_hand/],
    [{ ...ROW, location: '' }, 'invalid_value', 'location', /location/],
    [{ ...ROW, occurred_at: 'yesterday' }, 'invalid_value', 'occurred_at', /occurred_at/],
    [7, 'invalid_value', null, /object/],
    [null, 'invalid_value', null, /object/],
  ])('leaves %j out and says why', (row, code, field, message) => {
    const { counts, errors } = checkedRows([ROW, row, ROW], 10, null);
    expect(counts.map(({ line }) => line)).toEqual([11, 13]);
    expect(errors).toEqual([{ line: 12, code, field, message: expect.stringMatching(message) }]);
  });
});
