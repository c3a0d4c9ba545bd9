import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalCluster, type LocalCluster } from './local-cluster';
import { removeServerData, type LocalPostgres } from './local-postgres';
import { rejoinAsReplica, type LocalPostgresReplica } from './local-postgres-replica';

jest.setTimeout(120_000);

const notes = async (server: LocalPostgres) =>
  (await server.query<{ id: number }>('SELECT id FROM note ORDER BY id')).map(({ id }) => id);
const write = (server: LocalPostgres, id: number) => server.query('INSERT INTO note VALUES ($1)', [id]);
const timeline = async (server: LocalPostgres) => {
  const [row] = await server.query<{ tli: string }>('SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS tli');
  return Number.parseInt(row!.tli, 16);
};
const removeAll = async (servers: readonly LocalPostgres[]) => {
  for (const server of servers.toReversed()) await server.remove();
};

describe('a cluster with two standbys, beside another cluster', () => {
  const notices: string[] = [];
  let cluster: LocalCluster;
  let other: LocalCluster;
  let first: LocalPostgresReplica;
  let second: LocalPostgresReplica;

  beforeAll(async () => {
    const nodes = ['a', 'b', 'c'].map((name) => ({ name }));
    const prepare = (primary: LocalPostgres) => primary.query('CREATE TABLE note (id int)');
    const shared = { password: 'secret', throwaway: true, prepare, notice: (line: string) => void notices.push(line) };
    [cluster, other] = await Promise.all([
      startLocalCluster({ ...shared, nodes }),
      startLocalCluster({ ...shared, nodes: nodes.slice(0, 2) }),
    ]);
    [first, second] = cluster.standbys as [LocalPostgresReplica, LocalPostgresReplica];
  });

  afterAll(async () => {
    await removeAll(cluster.nodes);
    await removeAll(other.nodes);
  });

  it('keeps the two clusters apart', async () => {
    await write(cluster.primary, 1);
    await write(other.primary, 99);
    for (const standby of [...cluster.standbys, ...other.standbys]) await standby.caughtUp();
    expect(await Promise.all([...cluster.nodes, ...other.nodes].map(notes))).toEqual([[1], [1], [1], [99], [99]]);
    const all = [...cluster.nodes, ...other.nodes];
    expect(new Set(all.flatMap(({ port, dataDir }) => [port, dataDir])).size).toBe(10);
  });

  it('promotes a standby, which then takes writes on a later timeline and is a primary at its next start', async () => {
    await cluster.primary.kill('SIGKILL');
    await first.promote();
    await write(first, 2);
    expect(await timeline(first)).toBe(2);
    await first.kill('SIGKILL');
    await first.start();
    await write(first, 3);
    expect(await notes(first)).toEqual([1, 2, 3]);
    expect(await timeline(first)).toBe(2);
    expect(notices).toEqual([]);
  });

  it('lets the other standby follow the promoted one with the data it has', async () => {
    await second.follow(first);
    await write(first, 4);
    await second.caughtUp();
    expect(await notes(second)).toEqual([1, 2, 3, 4]);
    expect(notices).toEqual([]);
  });

  it('brings the old primary back as a standby without what only it had, and promotes it again', async () => {
    const old = cluster.primary;
    await old.start();
    await write(old, -1);
    const back = await rejoinAsReplica(old, first, { name: 'a' });
    try {
      expect([back.port, back.dataDir]).toEqual([old.port, old.dataDir]);
      await back.caughtUp();
      expect(await notes(back)).toEqual([1, 2, 3, 4]);
      await first.stop();
      await back.promote();
      await write(back, 5);
      expect(await timeline(back)).toBe(3);
      await first.follow(back);
      await second.follow(back);
      for (const standby of [first, second]) await standby.caughtUp();
      expect(await Promise.all([first, second].map(notes))).toEqual([
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 5],
      ]);
    } finally {
      await back.remove();
    }
  });
});

describe('a cluster that is started again with its data', () => {
  it('has the node as primary that was promoted last, and loses nothing that was written there', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stockyard-cluster-'));
    const nodes = ['left', 'right'].map((name) => ({ name, dataDir: join(directory, name) }));
    const notices: string[] = [];
    const running: LocalPostgres[] = [];
    const start = () =>
      startLocalCluster({
        password: 'secret',
        throwaway: true,
        nodes,
        notice: (line) => void notices.push(line),
        started: (_, server) => void running.push(server),
      });
    const stop = async () => {
      for (const server of running.splice(0).toReversed()) await server.stop();
    };
    try {
      const before = await start();
      await before.primary.query('CREATE TABLE note (id int)');
      await write(before.primary, 1);
      await before.standbys[0]!.caughtUp();
      await before.primary.kill('SIGKILL');
      await before.nodes[1]!.query('SELECT pg_promote()'); // by hand: nobody tells the object
      await write(before.nodes[1]!, 2);
      await stop();
      const after = await start();
      expect(after.nodes.indexOf(after.primary)).toBe(1);
      await after.standbys[0]!.caughtUp();
      expect(await Promise.all(after.nodes.map(notes))).toEqual([
        [1, 2],
        [1, 2],
      ]);
    } finally {
      await stop();
      for (const { dataDir } of nodes) await removeServerData(dataDir);
      rmSync(directory, { recursive: true, force: true });
    }
    expect(notices.filter((line) => line.includes('made anew'))).toHaveLength(1);
  });
});
