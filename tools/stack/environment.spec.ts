import { applicationEnvironment, migrateEnvironment } from './environment';
import type { Secrets } from './secrets';
import { stackJson } from './stack-file';

const secrets = new Proxy({}, { get: (_, name) => `secret of ${String(name)}` }) as Secrets;
const input = {
  base: { PATH: '/bin', npm_config_cache: 'x', DATABASE_OWNER_PASSWORD: 'owner', LOG_LEVEL: 'debug', API_PORT: '0' },
  secrets,
  servers: {
    databaseUrl: 'postgres://postgres:super@127.0.0.1:5001/stockyard?sslmode=disable',
    replicaUrls: ['postgres://postgres:super@127.0.0.1:5002/stockyard'],
    redisUrl: 'redis://127.0.0.1:5003',
    ports: { postgres: 5001, replica: 5002, redis: 5003 },
  },
  ports: { api: 3000, worker: 3001, metrics: 3002 },
  storageDir: '/state/files',
};

describe('the environment of the processes', () => {
  it('gives the applications no login of the superuser and none of the owner', () => {
    const env = applicationEnvironment(input);
    expect(env).toMatchObject({
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'debug',
      DATABASE_URL: 'postgres://127.0.0.1:5001/stockyard?sslmode=disable',
      DATABASE_REPLICA_URLS: 'postgres://127.0.0.1:5002/stockyard',
      DATABASE_APP_PASSWORD: 'secret of DATABASE_APP_PASSWORD',
      REDIS_URL: 'redis://127.0.0.1:5003',
      API_PORT: '3000',
      STORAGE_DIR: '/state/files',
    });
    expect(JSON.stringify(env)).not.toMatch(/super@|owner|npm_config|SUPERUSER/);
  });

  it('gives the migration both', () => {
    const env = migrateEnvironment(input);
    expect(env['DATABASE_URL']).toBe(input.servers.databaseUrl);
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
      database_url: input.servers.databaseUrl,
      database_app_url:
        'postgres://stockyard_app:secret%20of%20DATABASE_APP_PASSWORD@127.0.0.1:5001/stockyard?sslmode=disable',
      replica_urls: input.servers.replicaUrls,
      redis_url: 'redis://127.0.0.1:5003',
      admin_token: 'secret of ADMIN_TOKEN',
      organizations,
    });
  });
});
