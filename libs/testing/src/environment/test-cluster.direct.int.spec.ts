import { hostUrls } from '#libs/config';
import { createOrganization } from './organization.builder';
import { createTestCluster, type TestCluster } from './test-cluster';

describe('clusters of a spec’s own', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await createTestCluster({ standbys: 1, replicas: 1, shards: 2, overrides: { DATABASE_PROBE_MS: '100' } });
  });
  afterAll(() => cluster.dispose());

  const organizations = () => cluster.query<{ slug: string }>('select slug from organizations order by slug');

  it('are named by the configuration: every host that may be primary, and the replicas', () => {
    const [home, two] = cluster.shards;
    expect(hostUrls(cluster.config.DATABASE_URL).map((url) => Number(new URL(url).port))).toEqual([
      cluster.primary.port,
      cluster.standbys[0]!.port,
    ]);
    expect(cluster.config.shards).toEqual([
      {
        ...{ name: 'main', region: 'default' },
        hosts: expect.any(Array) as string[],
        replicas: [home!.urlOf(home!.replicas[0]!)],
      },
      {
        ...{ name: 'two', region: 'default' },
        hosts: hostUrls(two!.hostsUrl),
        replicas: [two!.urlOf(two!.replicas[0]!)],
      },
    ]);
    expect(cluster.config.DATABASE_PROBE_MS).toBe(100);
  });

  it('are migrated, with the roles’ logins at every node', async () => {
    for (const { hosts, replicas } of cluster.config.shards) {
      for (const url of [...hosts, ...replicas]) {
        const client = await cluster.connectAs('app', url);
        expect((await client.query('select from organizations')).rowCount).toBe(0);
        await client.end();
      }
    }
  });

  it('survive a promotion, and have the old primary back afterwards', async () => {
    const [home] = cluster.shards;
    await createOrganization(cluster, { slug: 'before' });
    await home!.standbys[0]!.caughtUp();
    await home!.primary.kill('SIGKILL');
    await home!.standbys[0]!.promote();
    await createOrganization(cluster, { slug: 'after' });
    expect(await home!.writer()).toBe(home!.standbys[0]);
    const { port } = home!.primary;
    await home!.rejoin();
    expect(home!.primary.port).toBe(port);
    expect(await organizations()).toEqual([{ slug: 'after' }, { slug: 'before' }]);
    for (const node of home!.nodes) {
      const rows = await node.query('select slug from organizations where slug = $1', ['after'], 'stockyard');
      expect(rows).toHaveLength(1);
    }
  });
});
