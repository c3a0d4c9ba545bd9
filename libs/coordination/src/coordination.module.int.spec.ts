import { Test } from '@nestjs/testing';
import { ConfigModule } from '#libs/config';
import { newId } from '#libs/kernel';
import { COORDINATION_REDIS, RedisModule } from '#libs/redis';
import { TenantShare, TokenKeeper } from '#libs/tenancy';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { Redis } from 'ioredis';
import { leasesKey } from './coordination-keys';
import { CoordinationModule } from './coordination.module';

describe('the module of coordination', () => {
  let environment: TestEnvironment;

  beforeAll(async () => {
    environment = await createTestEnvironment();
  });

  afterAll(() => environment.dispose());

  it('provides keeper and share, and leaves no lease and no connection behind', async () => {
    const { config } = environment;
    const imports = [ConfigModule.forRoot(config), RedisModule.forRoot(config), CoordinationModule];
    const app = await (await Test.createTestingModule({ imports }).compile()).init();
    const client = app.get<Redis>(COORDINATION_REDIS);
    await waitFor(() => client.status === 'ready', { what: 'Redis', intervalMs: 5 });
    const tenant = newId();
    const kept = { rank: '0'.repeat(32), sealed: 'sealed' };
    await waitFor(
      () =>
        app
          .get(TokenKeeper)
          .keep(tenant, 'a', kept)
          .then(() => true),
      { what: 'a token to be kept' },
    );
    (await app.get(TenantShare).take(tenant, 3))();
    await app.close();
    await waitFor(() => client.status === 'end', { what: 'the connection to end', intervalMs: 5 });
    const witness = new Redis(config.REDIS_URL);
    expect(await witness.exists(leasesKey(config.REDIS_KEY_PREFIX, 'share', tenant))).toBe(0);
    witness.disconnect();
  });
});
