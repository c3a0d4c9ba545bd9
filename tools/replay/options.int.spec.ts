/** The command line and the connection. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions, type ReplaySurroundings } from './options';

const directory = mkdtempSync(join(tmpdir(), 'stockyard-options-'));
const stackFile = join(directory, 'stack.json');
afterAll(() => rmSync(directory, { recursive: true }));

const surroundings: ReplaySurroundings = {
  workingDirectory: '/data',
  stackFile,
  adminToken: () => 'from the environment',
};
const read = (...argv: string[]) => readOptions(argv, surroundings);

describe('without a running stack', () => {
  it('says so in one line', () => {
    expect(() => read('x.csv')).toThrow(/^Nothing runs here.*npm start.*--api URL\.$/);
  });

  it('takes an api that is named, and the operator token of the environment', () => {
    expect(read('x.csv', '--api', 'http://127.0.0.1:3000/')).toEqual({
      file: '/data/x.csv',
      scarcity: { millionths: 1_000_000 },
      concurrency: 16,
      limitInvoices: undefined,
      json: false,
      apiUrl: 'http://127.0.0.1:3000',
      adminToken: 'from the environment',
    });
  });
});

describe('with a running stack', () => {
  beforeAll(() =>
    writeFileSync(stackFile, JSON.stringify({ api_url: 'http://127.0.0.1:4000', admin_token: 'of the stack' })),
  );

  it('connects to it', () => {
    expect(read('/x.csv.gz', '--scarcity', '0.7', '--limit-invoices', '5', '--json', '--concurrency', '4')).toEqual({
      file: '/x.csv.gz',
      scarcity: { millionths: 700_000 },
      concurrency: 4,
      limitInvoices: 5,
      json: true,
      apiUrl: 'http://127.0.0.1:4000',
      adminToken: 'of the stack',
    });
    expect(read('x.csv', '--admin-token', 'mine')).toMatchObject({ adminToken: 'mine' });
  });

  it.each([
    [[], 'Name exactly one FILE'],
    [['a.csv', 'b.csv'], 'Name exactly one FILE'],
    [['a.csv', '--scarcity', 'half'], '--scarcity takes'],
    [['a.csv', '--concurrency', '0'], '--concurrency takes'],
    [['a.csv', '--limit-invoices', '-1'], 'limit-invoices'],
    [['a.csv', '--api', 'localhost:3000'], '--api takes'],
    [['a.csv', '--sacrcity', '1'], 'sacrcity'],
  ])('refuses %j', (argv, message) => {
    expect(() => read(...argv)).toThrow(message);
  });

  it('refuses a stack file that lacks the connection', () => {
    const broken = join(directory, 'broken.json');
    for (const text of ['{', '{"api_url":1}']) {
      writeFileSync(broken, text);
      expect(() => read('x.csv', '--stack', broken)).toThrow('lacks api_url or admin_token');
    }
  });
});
