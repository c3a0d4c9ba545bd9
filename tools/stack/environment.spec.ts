import { applicationEnvironment, migrateEnvironment } from './environment';
import type { Secrets } from './secrets';
import type { StackShard } from './shard-cluster';
import { stackJson } from './stack-file';

const secrets = new Proxy({}, { get: (_, name) => `secret of ${String(name)}` }) as Secrets;
const shard = (name: string, port: number): StackShard => ({
  name,
  databaseUrl: `postgres://postgres:super@127.0.0.1:${port}/stockyard?sslmode=disable`,
  replicaUrls: [`postgres://postgres:super@127.0.0.1:${port + 1}/stockyard`],
  hostsUrl: `postgres://postgres:super@127.0.0.1:${port},127.0.0.1:${port + 1}/stockyard?sslmode=disable`,
  readOnlyUrls: [],
});
const input = {
  base: { PATH: '/bin', npm_config_cache: 'x', DATABASE_OWNER_PASSWORD: 'owner', LOG_LEVEL: 'debug', API_PORT: '0' },
  secrets,
  servers: {
    shards: [shard('main', 5001), shard('two', 5011)] as const,
    databaseShards: '',
    redisUrl: 'redis://127.0.0.1:5003',
    ports: { postgres: 5001, replica: 5002, redis: 5003 },
  },
  ports: { api: 3000, worker: 3001, metrics: 3002 },
  storageDir: '/state/files',
};

describe('the environment of the processes', () => {
  it('gives the applications no login of the superuser and none of the owner', () => {
    const env = applicationEnvironment(input, 'api');
    expect(env).toMatchObject({
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'debug',
      DATABASE_URL: 'postgres://127.0.0.1:5001,127.0.0.1:5002/stockyard?sslmode=disable',
      DATABASE_REPLICA_URLS: '',
      DATABASE_SHARDS:
        '{"two":{"url":"postgres://127.0.0.1:5011,127.0.0.1:5012/stockyard?sslmode=disable","replica_urls":[]}}',
      DATABASE_APP_PASSWORD: 'secret of DATABASE_APP_PASSWORD',
      REDIS_URL: 'redis://127.0.0.1:5003',
      API_PORT: '3000',
      STORAGE_DIR: '/state/files',
    });
    expect(JSON.stringify(env)).not.toMatch(/super@|owner|npm_config|SUPERUSER|MOVER/);
  });

  it('gives the login that moves tenants to the worker alone', () => {
    expect(applicationEnvironment(input, 'worker')['DATABASE_MOVER_PASSWORD']).toContain('DATABASE_MOVER_PASSWORD');
  });

  it('leaves a database of the user’s own as it is', () => {
    const own = {
      ...shard('main', 5001),
      hostsUrl: 'postgres://me@db/shop',
      readOnlyUrls: ['postgres://me:pw@r/shop'],
    };
    const servers = { ...input.servers, shards: [own] as const, databaseShards: '{"two":{"url":"postgres://b/shop"}}' };
    expect(applicationEnvironment({ ...input, servers }, 'api')).toMatchObject({
      DATABASE_URL: 'postgres://db/shop',
      DATABASE_REPLICA_URLS: 'postgres://r/shop',
      DATABASE_SHARDS: servers.databaseShards,
    });
  });

  it('gives the migration both, and every primary', () => {
    const [main, two] = input.servers.shards;
    const env = migrateEnvironment(input);
    expect(env['DATABASE_URL']).toBe(main.databaseUrl);
    expect(env['DATABASE_SHARDS']).toBe(JSON.stringify({ two: { url: two.databaseUrl } }));
    expect(env['DATABASE_OWNER_PASSWORD']).toBe('secret of DATABASE_OWNER_PASSWORD');
    expect(env['API_PORT']).toBe('3000');
    expect(env['ADMIN_TOKEN']).toBeUndefined();
  });
});

describe('stack.json', () => {
  it('has the names that tools read', () => {
    const organizations = [{ id: '1', slug: 'acme', api_key: 'key' }];
    const json = stackJson({ ...input, parts: [], organizations });
    expect(json).toMatchObject({
      api_url: 'http://127.0.0.1:3000',
      worker_url: 'http://127.0.0.1:3001',
      metrics_url: 'http://127.0.0.1:3002',
      database_url: input.servers.shards[0].databaseUrl,
      database_app_url:
        'postgres://stockyard_app:secret%20of%20DATABASE_APP_PASSWORD@127.0.0.1:5001/stockyard?sslmode=disable',
      replica_urls: input.servers.shards[0].replicaUrls,
      shards: input.servers.shards.map(({ name, databaseUrl, replicaUrls }) => ({
        name,
        database_url: databaseUrl,
        replica_urls: replicaUrls,
      })),
      redis_url: 'redis://127.0.0.1:5003',
      admin_token: 'secret of ADMIN_TOKEN',
      organizations,
    });
  });
});
