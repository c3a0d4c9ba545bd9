import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:net';
import { isPortFree } from './free-port';
import { startLocalPostgres, type LocalPostgres } from './local-postgres';
import { startLocalReplica, type LocalPostgresReplica } from './local-postgres-replica';
import { identifyProcess } from './process-identity';
import { dropSlot } from './replication-slot';
import { waitFor } from './wait-for';

jest.setTimeout(120_000);

describe('a local primary and its replica', () => {
  const notices: string[] = [];
  const notice = (line: string) => void notices.push(line);
  let primary: LocalPostgres;
  let replica: LocalPostgresReplica;

  beforeAll(async () => {
    primary = await startLocalPostgres({ password: `it's a \\ "secret"`, throwaway: true });
    await primary.query('CREATE TABLE note (id int PRIMARY KEY, text text NOT NULL)');
    await primary.query(`INSERT INTO note VALUES (1, 'before the replica')`);
    replica = await startLocalReplica(primary, { throwaway: true, notice });
  });

  afterAll(async () => {
    await replica.remove();
    await primary.remove();
  });

  const notesOf = async (server: LocalPostgres) =>
    (await server.query<{ id: number }>('SELECT id FROM note ORDER BY id')).map(({ id }) => id);

  it('is set up as Stockyard needs it', async () => {
    const [row] = await primary.query(`
      SELECT current_setting('server_encoding') AS encoding, current_setting('wal_level') AS wal_level,
             current_setting('max_connections')::int >= 200 AS enough_connections,
             current_setting('max_wal_senders') AS senders, current_setting('fsync') AS fsync,
             current_setting('listen_addresses') AS addresses, lower('ÄÖ') AS lower`);
    expect(row).toEqual({
      encoding: 'UTF8',
      wal_level: 'logical',
      enough_connections: true,
      senders: '32',
      fsync: 'off',
      addresses: '127.0.0.1',
      lower: 'äö',
    });
  });

  it('asks for the password', async () => {
    const { Client } = await import('pg');
    const client = new Client({ connectionString: primary.url({ password: 'wrong' }) });
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  });

  it('shows on the replica what was written on the primary, and refuses writes there', async () => {
    await primary.query(`INSERT INTO note VALUES (2, 'streamed')`);
    await replica.caughtUp();
    expect(await notesOf(replica)).toEqual([1, 2]);
    await expect(replica.query(`INSERT INTO note VALUES (0, 'no')`)).rejects.toMatchObject({ code: '25006' });
  });

  it('lags while replay is paused and catches up when it is resumed', async () => {
    await replica.pauseReplay();
    await primary.query(`INSERT INTO note VALUES (3, 'while paused')`);
    await expect(replica.caughtUp(300)).rejects.toThrow('the replica to catch up');
    expect(await notesOf(replica)).not.toContain(3);
    await replica.resumeReplay();
    await replica.caughtUp();
    expect(await notesOf(replica)).toContain(3);
  });

  it('keeps its data over an orderly restart of both', async () => {
    await replica.stop();
    await primary.stop();
    expect(await isPortFree(primary.port)).toBe(true);
    await primary.start();
    await replica.start();
    await replica.caughtUp();
    expect(await notesOf(replica)).toEqual([1, 2, 3]);
    expect(notices).toEqual([]);
  });

  it('brings a replica back that was away while the primary wrote', async () => {
    await replica.stop();
    await primary.query(`INSERT INTO note VALUES (4, 'while away')`);
    await replica.start();
    await replica.caughtUp();
    expect(await notesOf(replica)).toEqual([1, 2, 3, 4]);
    expect(notices).toEqual([]);
  });

  it('recovers after both were killed', async () => {
    await primary.query(`INSERT INTO note VALUES (5, 'committed before the crash')`);
    const pids = [primary.pid, replica.pid];
    await Promise.all([primary.kill('SIGKILL'), replica.kill('SIGKILL')]);
    expect(existsSync(join(primary.dataDir, 'postmaster.pid'))).toBe(true);
    await primary.start();
    await replica.start();
    await replica.caughtUp();
    expect(await notesOf(replica)).toEqual([1, 2, 3, 4, 5]);
    for (const pid of pids) expect(identifyProcess(pid ?? 0)).toBeUndefined();
  });

  it('follows again after the primary alone was killed', async () => {
    await primary.kill('SIGKILL');
    await expect(primary.query('SELECT 1')).rejects.toThrow();
    expect(await notesOf(replica)).toEqual([1, 2, 3, 4, 5]);
    await primary.start();
    await primary.query(`INSERT INTO note VALUES (6, 'after the crash')`);
    await replica.caughtUp();
    expect(await notesOf(replica)).toContain(6);
  });

  it('hangs while frozen, and goes on when thawed', async () => {
    await primary.kill('SIGSTOP');
    const socket = connect(primary.port, '127.0.0.1'); // the kernel accepts, nobody answers
    socket.on('error', () => undefined);
    await primary.kill('SIGCONT');
    await waitFor(() => primary.query('SELECT 1'), { what: 'the thawed primary' });
    socket.destroy();
  });

  it('makes a replica anew when its slot is gone', async () => {
    await replica.stop();
    await dropSlot(primary.address, replica.slot);
    await replica.start();
    await replica.caughtUp();
    expect(notices.join()).toContain('no longer keeps the log');
    expect(await notesOf(replica)).toEqual(await notesOf(primary));
  });

  it('makes a replica anew when it went its own way', async () => {
    notices.length = 0;
    await replica.query('SELECT pg_promote()');
    await waitFor(async () => (await replica.query('SELECT 1 WHERE NOT pg_is_in_recovery()')).length, {
      what: 'the promotion',
    });
    await replica.query(`INSERT INTO note VALUES (100, 'diverged')`);
    await replica.stop();
    await primary.query(`INSERT INTO note VALUES (7, 'on the old primary')`);
    await replica.start();
    await replica.caughtUp();
    expect(notices.join()).toContain('made anew');
    expect(await notesOf(replica)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('says in one message why a start failed, with the last words of the log', async () => {
    await primary.stop();
    await replica.stop();
    const broken = startLocalPostgres({ password: 'x', throwaway: true, settings: { shared_buffers: 'lots' } });
    await expect(broken).rejects.toThrow(/Postgres ended with code 1 while starting[^]*shared_buffers/);
  });

  it('leaves nothing behind when it is removed', async () => {
    const { dataDir } = primary;
    await replica.remove();
    await primary.remove();
    expect(existsSync(dataDir)).toBe(false);
    expect(primary.pid).toBeUndefined();
    expect(await isPortFree(primary.port)).toBe(true);
  });
});
