import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, loadConfig, roleUrl } from './config';
import { ENVIRONMENT_SCHEMA } from './environment.schema';
import { redisServers } from './redis-topology';
import type { ProcessName } from './secrets';

describe('loadConfig', () => {
  it('starts from defaults alone in development', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({ NODE_ENV: 'development', API_PORT: 3000 });
    expect(config.shards).toEqual([{ name: 'main', hosts: [config.DATABASE_URL], replicas: [], region: 'default' }]);
    expect(config.directory).toBe(config.shards[0]);
    expect(config.redisCacheUrl).toBe(config.REDIS_URL);
  });

  it('names every variable at fault and never shows a value', () => {
    const bad = { API_PORT: 'eighty', DATABASE_URL: 'mysql://secret@host/db', LOG_LEVEL: 'loud', ADMIN_TOKEN: 'short' };
    const error = (() => {
      try {
        return loadConfig(bad);
      } catch (caught) {
        return caught as ConfigError;
      }
    })() as ConfigError;
    expect(error).toBeInstanceOf(ConfigError);
    for (const name of Object.keys(bad)) expect(error.message).toContain(name);
    for (const value of Object.values(bad)) expect(error.message).not.toContain(value);
  });

  it('refuses default secrets in production, one line each', () => {
    const attempt = () => loadConfig({ NODE_ENV: 'production', ADMIN_TOKEN: 'a-token-of-ones-own' });
    expect(attempt).toThrow(/JWT_SECRET has its development default/);
    expect(attempt).toThrow(/DATABASE_APP_PASSWORD/);
    expect(attempt).not.toThrow(/ADMIN_TOKEN/);
  });

  it('asks a process for its own secrets alone, and migrate for those of every role it makes', () => {
    const missing = (process: ProcessName) => {
      try {
        loadConfig({ NODE_ENV: 'production' }, {}, process);
        return [];
      } catch (error) {
        return (error as ConfigError).problems.map((problem) => problem.split(' ')[0]);
      }
    };
    expect(missing('operator')).toEqual(['ADMIN_TOKEN']);
    expect(missing('api')).not.toContain('DATABASE_MOVER_PASSWORD');
    expect(missing('worker')).toContain('DATABASE_MOVER_PASSWORD');
    expect(missing('worker')).not.toContain('ADMIN_TOKEN');
    expect(missing('migrate')).toContain('DATABASE_OWNER_PASSWORD');
    expect(missing('migrate')).not.toContain('JWT_SECRET');
  });

  it('says the version of package.json, also where npm did not start it', () => {
    const { version } = JSON.parse(readFileSync(join(__dirname, '../../../package.json'), 'utf8')) as {
      version: string;
    };
    expect(loadConfig({}).version).toBe(version);
  });

  it('puts the login of a role into a database URL, whatever its password holds', () => {
    const config = loadConfig({
      DATABASE_URL: 'postgres://admin:x@db:5433/shop',
      DATABASE_APP_PASSWORD: 'p@ss/w:rd%20',
    });
    const url = new URL(roleUrl(config, 'app'));
    expect([url.username, decodeURIComponent(url.password), url.host, url.pathname]).toEqual([
      'stockyard_app',
      'p@ss/w:rd%20',
      'db:5433',
      '/shop',
    ]);
  });

  it.each([
    ['{', /COST_MODEL must be JSON/],
    ['{"compute":{"per_month":1}}', /COST_MODEL.*currency/],
    ['{"currency":"EUR","compute":{"per_month":-1}}', /COST_MODEL: compute\.per_month /],
    ['{"currency":"EUR","compute":{"per_mouth":1}}', /COST_MODEL: compute\.per_mouth is not a field of it/],
    ['{"currency":"EUR","egress":{"unit_price":1}}', /COST_MODEL: egress\.capacity is missing/],
    ['{"currency":"EUR","egress":{"unit_price":1,"per_month":1,"capacity":1}}', /COST_MODEL: egress needs/],
    ['{"currency":"EUR","shared":"by_luck"}', /COST_MODEL: shared /],
  ])('refuses the cost model %s and names the field', (COST_MODEL, problem) => {
    expect(() => loadConfig({ COST_MODEL })).toThrow(ConfigError);
    expect(() => loadConfig({ COST_MODEL })).toThrow(problem);
  });

  it('takes a cost model, and none', () => {
    const model = { currency: 'EUR', compute: { unit_price: 0.2, capacity: 700 }, shared: 'even' };
    expect(loadConfig({ COST_MODEL: JSON.stringify(model) }).costModel).toEqual(model);
    expect(loadConfig({}).costModel).toBeNull();
  });

  it('takes several hosts, replicas and further shards', () => {
    const { shards } = loadConfig({
      DATABASE_URL: 'postgres://admin:p%2Cw@a:1,b:2/shop?sslmode=disable',
      DATABASE_REPLICA_URLS: 'postgres://c:3/shop, postgres://d/shop',
      DATABASE_SHARDS: '{"two":{"url":"postgres://f/shop","replica_urls":["postgres://g/shop"]}}',
    });
    const tail = 'shop?sslmode=disable';
    expect(shards).toEqual([
      {
        name: 'main',
        hosts: [`postgres://admin:p%2Cw@a:1/${tail}`, `postgres://admin:p%2Cw@b:2/${tail}`],
        replicas: ['postgres://c:3/shop', 'postgres://d/shop'],
        region: 'default',
      },
      { name: 'two', hosts: ['postgres://f/shop'], replicas: ['postgres://g/shop'], region: 'default' },
    ]);
  });

  it.each([
    ['DATABASE_SHARDS', 'nonsense-secret'],
    ['DATABASE_SHARDS', '{"two":{"uri":"postgres://secret"}}'],
    ['DATABASE_SHARDS', '{"Two!":{"url":"postgres://secret/x"}}'],
    ['DATABASE_SHARDS', '{"main":{"url":"postgres://secret/x"}}'],
    ['DATABASE_SHARDS', '{"two":{"url":"postgres://secret:port/x"}}'],
    ['DATABASE_REPLICA_URLS', 'secret-host'],
    ['DATABASE_URL', 'postgres://secret:port,b/x'],
  ])('refuses %s=%s by name, without its value', (name, value) => {
    const attempt = () => loadConfig({ [name]: value });
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(name);
    expect(attempt).not.toThrow(/secret/);
  });

  it('tells a Redis Cluster from a server by its hosts, or by what it says', () => {
    expect(redisServers('redis://a:1/2')).toEqual({ kind: 'server', urls: ['redis://a:1/2'] });
    expect(redisServers('rediss://u:p%2Cw@a:1,b:2')).toEqual({
      kind: 'cluster',
      urls: ['rediss://u:p%2Cw@a:1', 'rediss://u:p%2Cw@b:2'],
    });
    expect(redisServers('redis://a:1?cluster=true')).toEqual({ kind: 'cluster', urls: ['redis://a:1'] });
    expect(loadConfig({ REDIS_URL: 'redis://a:1,b:2' }).redisLimitsUrl).toBe('redis://a:1,b:2');
  });

  it('tells Sentinels by the scheme, with the credentials of the servers apart from their own', () => {
    expect(redisServers('redis+sentinel://a,b:2/stockyard')).toEqual({
      kind: 'sentinel',
      urls: ['redis://a:26379', 'redis://b:2'],
      master: { name: 'stockyard', url: 'redis://master' },
    });
    const full = 'rediss+sentinel://u:p%40w@a:1/stockyard-queue/3?sentinel_username=s&sentinel_password=x%40y';
    expect(redisServers(full)).toEqual({
      kind: 'sentinel',
      urls: ['rediss://s:x%40y@a:1'],
      master: { name: 'stockyard-queue', url: 'rediss://u:p%40w@master/3' },
    });
    expect(redisServers('redis+sentinel://:p@[::1]:1/m?sentinel_password=x').urls).toEqual(['redis://:x@[::1]:1']);
    expect(loadConfig({ REDIS_URL: 'redis+sentinel://a/m' }).redisCacheUrl).toBe('redis+sentinel://a/m');
  });

  it.each([
    ['REDIS_URL', 'redis+sentinel://secret:1,secret:2'],
    ['REDIS_URL', 'redis+sentinel://secret:1/'],
    ['REDIS_URL', 'redis+sentinel://secret:1/name/secret'],
    ['REDIS_URL', 'redis://secret:1,secret:2/1'],
    ['REDIS_CACHE_URL', 'secret-host'],
    ['REDIS_CACHE_URL', 'redis://secret:port'],
    ['REDIS_LIMITS_URL', 'redis://secret:1,secret:2/3'],
  ])('refuses %s=%s by name, without its value', (name, value) => {
    const attempt = () => loadConfig({ [name]: value });
    expect(attempt).toThrow(name);
    expect(attempt).not.toThrow(/secret/);
  });

  it('wants credentials for a bucket, and takes neither into what it says', () => {
    const bucket = { STORAGE_S3_BUCKET: 'files' };
    expect(() => loadConfig(bucket)).toThrow(/STORAGE_S3_ACCESS_KEY_ID.*\n.*STORAGE_S3_SECRET_ACCESS_KEY/);
    const half = () => loadConfig({ ...bucket, STORAGE_S3_SECRET_ACCESS_KEY: 'hush' });
    expect(half).toThrow('STORAGE_S3_ACCESS_KEY_ID');
    expect(half).not.toThrow(/hush|SECRET/);
    const keys = { STORAGE_S3_ACCESS_KEY_ID: 'id', STORAGE_S3_SECRET_ACCESS_KEY: 'hush' };
    expect(loadConfig({ ...bucket, ...keys })).toMatchObject({ STORAGE_S3_BUCKET: 'files' });
    for (const address of ['files.example.com', 'http://:80', 'ftp://hush']) {
      const attempt = () => loadConfig({ ...bucket, ...keys, STORAGE_S3_ENDPOINT: address });
      expect(attempt).toThrow('STORAGE_S3_ENDPOINT');
      expect(attempt).not.toThrow(address);
    }
  });

  it('takes blocks of private addresses, and names the variable where they are none', () => {
    const blocks = (text: string) => loadConfig({ OUTBOUND_PRIVATE_ADDRESSES: text }).outboundBlocks;
    expect(blocks('')).toEqual([]);
    expect(blocks('10.1.0.0/16, ::1,127.0.0.1')).toEqual(['10.1.0.0/16', '::1', '127.0.0.1']);
    for (const text of ['10.1.0.0/33', '10.1', 'localhost', '::1/129', '10.0.0.0/8/8', '10.0.0.0/']) {
      expect(() => blocks(text)).toThrow(/OUTBOUND_PRIVATE_ADDRESSES/);
    }
  });

  it('describes every variable, for the README’s table', () => {
    for (const [name, schema] of Object.entries(ENVIRONMENT_SCHEMA.properties)) {
      expect([name, (schema as { description?: string }).description]).toEqual([name, expect.stringMatching(/\w/)]);
    }
  });
});
