import { parseOptions } from './options';
import { StackError } from './stack-error';

const parse = (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) => parseOptions(args, env, '/checkout');

describe('the options of npm start', () => {
  it('have defaults that need no environment', () => {
    expect(parse()).toEqual({
      help: false,
      fresh: false,
      verbose: false,
      shards: undefined,
      directory: '/checkout/.stockyard',
      ports: { api: 3000, worker: 3001, metrics: 3002 },
      databaseUrl: undefined,
      replicaUrls: [],
      databaseShards: '',
      redisUrl: undefined,
    });
  });

  it('come from flags and variables', () => {
    const env = { API_PORT: '0', WORKER_PORT: '4001', STOCKYARD_DIR: '../other', REDIS_URL: 'redis://cache:6379/1' };
    expect(parse(['--fresh', '--verbose'], env)).toMatchObject({
      fresh: true,
      verbose: true,
      directory: '/other',
      ports: { api: 0, worker: 4001, metrics: 3002 },
      redisUrl: 'redis://cache:6379/1',
    });
  });

  it('use replicas only together with a database', () => {
    const replicas = { DATABASE_REPLICA_URLS: 'postgres://b/db, postgres://c/db,' };
    expect(parse([], replicas).replicaUrls).toEqual([]);
    expect(parse([], { ...replicas, DATABASE_URL: 'postgres://a/db' }).replicaUrls).toEqual([
      'postgres://b/db',
      'postgres://c/db',
    ]);
  });

  it('take a number of shards in either spelling', () => {
    expect(parse(['--shards', '2', '--fresh'])).toMatchObject({ shards: 2, fresh: true });
    expect(parse(['--shards=8']).shards).toBe(8);
  });

  it.each([['--shards'], ['--shards', '0'], ['--shards', '9'], ['--shards', '--fresh'], ['--shards=two']])(
    'refuse %s %s in one line',
    (...args) => {
      expect(() => parse(args)).toThrow(
        expect.objectContaining({ exitCode: 2, message: '--shards needs a number from 1 to 8.' }) as Error,
      );
    },
  );

  it('take a database of several hosts and shards with it, but no number of shards then', () => {
    const env = { DATABASE_URL: 'postgres://me@a:1,b:2/db', DATABASE_SHARDS: '{}' };
    expect(parse([], env)).toMatchObject({ databaseUrl: env.DATABASE_URL, databaseShards: '{}' });
    expect(() => parse(['--shards', '2'], env)).toThrow('DATABASE_SHARDS');
    expect(parse([], { DATABASE_SHARDS: '{}' }).databaseShards).toBe('');
  });

  it('take a Redis Cluster of several nodes', () => {
    expect(parse([], { REDIS_URL: 'redis://a:1,b:2' }).redisUrl).toBe('redis://a:1,b:2');
  });

  it('refuse an unknown one with the usage and exit code 2', () => {
    const refusal = expect.objectContaining({
      exitCode: 2,
      message: expect.stringContaining('Usage: npm start') as string,
    });
    expect(() => parse(['--frsh'])).toThrow(refusal as Error);
  });

  it.each([
    ['API_PORT', 'x'],
    ['WORKER_PORT', '65536'],
    ['METRICS_PORT', '-1'],
    ['DATABASE_URL', 'mysql://root:secret@db'],
    ['REDIS_URL', 'secret'],
  ])('name the variable %s at fault in one line, without its value', (name, value) => {
    let message = '';
    try {
      parse([], { [name]: value });
    } catch (error) {
      expect(error).toBeInstanceOf(StackError);
      message = (error as StackError).message;
    }
    expect(message).toContain(name);
    expect(message).not.toContain('secret');
    expect(message).not.toContain('\n');
  });
});
