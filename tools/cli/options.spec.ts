import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions } from './options';
import { UsageError } from './usage';

const directory = mkdtempSync(join(tmpdir(), 'stockyard-cli-'));
const stackFile = join(directory, 'stack.json');
writeFileSync(stackFile, JSON.stringify({ api_url: 'http://127.0.0.1:3000', admin_token: 'of-the-stack' }));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const read = (...argv: string[]) => readOptions(argv, { stackFile, adminToken: () => 'of-the-environment' });

describe('The command line', () => {
  it('connects by stack.json, or to the api that is named', () => {
    expect(read('tenant', 'show', 'acme')).toEqual({
      command: { name: 'show', tenant: 'acme' },
      json: false,
      apiUrl: 'http://127.0.0.1:3000',
      adminToken: 'of-the-stack',
    });
    const named = ['tenant', 'show', 'acme', '--api', 'https://api.example.com/'];
    expect(read(...named)).toMatchObject({ apiUrl: 'https://api.example.com', adminToken: 'of-the-environment' });
    expect(read(...named, '--admin-token', 'given')).toMatchObject({ adminToken: 'given' });
  });

  it.each([
    [['create', '--slug', 'acme', '--name', 'Acme'], { name: 'create', organization: { slug: 'acme', name: 'Acme' } }],
    [['export', 'acme', '--out', 'x.tar.gz'], { name: 'export', tenant: 'acme', out: 'x.tar.gz' }],
    [['import', 'x.tar.gz', '--slug', 'other'], { name: 'import', file: 'x.tar.gz', slug: 'other' }],
    [['delete', 'acme'], { name: 'delete', tenant: 'acme', movedTo: undefined }],
    [['delete', 'acme', '--moved-to', 'us'], { name: 'delete', tenant: 'acme', movedTo: 'us' }],
    [['move', 'acme', '--to', 'two'], { name: 'move', tenant: 'acme', shard: 'two' }],
    [['move', 'acme', '--rollback'], { name: 'rollback', tenant: 'acme' }],
    [['reconcile', 'acme'], { name: 'reconcile', tenant: 'acme', repair: false }],
    [['reconcile', 'acme', '--repair'], { name: 'reconcile', tenant: 'acme', repair: true }],
  ])('reads tenant %j', (argv, command) => {
    expect(read('tenant', ...argv)?.command).toEqual(command);
  });

  it.each([
    [['dead-letters'], { name: 'dead-letter-holders', limit: undefined }],
    [['dead-letters', 'acme', '--limit', '50'], { name: 'dead-letters', tenant: 'acme', type: undefined, limit: 50 }],
    [['replay', 'acme', 'some-id'], { name: 'replay', tenant: 'acme', letter: 'some-id' }],
    [['replay', 'acme', '--type', 'bulk.import'], { name: 'replay-type', tenant: 'acme', type: 'bulk.import' }],
    [['discard', 'acme', 'some-id'], { name: 'discard', tenant: 'acme', letter: 'some-id' }],
  ])('reads jobs %j', (argv, command) => {
    expect(read('jobs', ...argv)?.command).toEqual(command);
  });

  it.each([
    [[]],
    [['jobs']],
    [['jobs', 'create']],
    [['jobs', 'dead-letters', 'acme', 'other']],
    [['jobs', 'dead-letters', '--type', 'bulk.import']],
    [['jobs', 'dead-letters', '--limit', 'few']],
    [['jobs', 'replay', 'acme']],
    [['jobs', 'replay', 'acme', 'some-id', '--type', 'bulk.import']],
    [['jobs', 'discard', 'acme']],
    [['jobs', 'discard', 'acme', '--type', 'bulk.import']],
    [['tenant', 'show', 'acme', '--type', 'bulk.import']],
    [['tenant']],
    [['tenant', 'destroy', 'acme']],
    [['organization', 'show', 'acme']],
    [['tenant', 'show']],
    [['tenant', 'show', 'acme', 'other']],
    [['tenant', 'create', '--slug', 'acme']],
    [['tenant', 'delete', 'acme', '--slug', 'acme']],
    [['tenant', 'move', 'acme']],
    [['tenant', 'move', 'acme', '--to', 'two', '--rollback']],
    [['tenant', 'show', 'acme', '--unknown']],
    [['tenant', 'show', 'acme', '--api', 'ftp://example.com']],
    [['tenant', 'show', 'acme', '--stack', join(directory, 'missing.json')]],
  ])('does not understand %j', (argv) => {
    expect(() => read(...argv)).toThrow(UsageError);
  });

  it('only helps when asked to', () => {
    expect(read('--help')).toBeUndefined();
  });
});
