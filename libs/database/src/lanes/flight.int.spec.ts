/** Flights on a bare connection: what one error, one lost plan or one odd value does to everything around it. */
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import type { Client, PoolClient } from 'pg';
import { Flight, type FlightStatement, FlightTail, isPlanLost } from './flight';

const statement = (name: string, text: string, ...values: unknown[]): FlightStatement => ({ name, text, values });
const one = (value: number) => statement('one', 'select $1::int as one', value);
const bad = () => statement('bad', 'select 1 / $1::int as bad', 0);
const note = (text: string) => statement('note', 'insert into notes values ($1)', text);
const COUNT = statement('count', 'select count(*) as notes from notes');

describe('a flight', () => {
  let env: TestEnvironment;
  let client: Client;

  const fly = async (...statements: FlightStatement[]) => {
    const flight = new Flight(statements, true);
    (client as unknown as PoolClient).query(flight);
    return flight.results;
  };

  const flyWithTail = async (statements: FlightStatement[], behind: FlightStatement) => {
    const tail = new FlightTail(behind, true);
    const flight = new Flight(statements, true, tail);
    client.query(flight);
    client.query(tail);
    return Promise.allSettled([flight.results, tail.results]);
  };

  const notes = async () => (await fly(COUNT))[0]!.rows[0]!.notes;

  beforeAll(async () => {
    env = await createTestEnvironment();
  });
  afterAll(() => env.dispose());

  beforeEach(async () => {
    client = await env.connectAs('app');
    await client.query('create temporary table notes (text text)');
  });
  afterEach(() => client.end());

  it('answers each statement in its order, also the same one twice and one without rows', async () => {
    const results = await fly(one(1), note('a'), one(2), one(3), COUNT);
    expect(results.map(({ rows }) => rows)).toEqual([[{ one: 1 }], [], [{ one: 2 }], [{ one: 3 }], [{ notes: 1 }]]);
    expect(results[1]).toMatchObject({ command: 'INSERT', rowCount: 1 });
  });

  it.each([0, 1, 2])('undoes everything when statement %i fails, and every name is good afterwards', async (at) => {
    const statements = [note('a'), note('b')];
    statements.splice(at, 0, bad());
    for (let round = 0; round < 3; round += 1) {
      await expect(fly(...statements)).rejects.toMatchObject({ code: '22012' });
      expect(await notes()).toBe(0);
    }
    await fly(note('c'), statement('bad', 'select 1 / $1::int as bad', 1), one(4));
    expect(await notes()).toBe(1);
  });

  it('rejects with the first of two errors', async () => {
    const missing = statement('missing', 'select * from no_such_table');
    await expect(fly(bad(), missing)).rejects.toMatchObject({ code: '22012' });
    await expect(fly(missing, bad())).rejects.toMatchObject({ code: '42P01' });
  });

  it('sends nothing of a flight with a value that cannot be bound, wherever that stands', async () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const odd = statement('note', 'insert into notes values ($1)', circular);
    for (const statements of [
      [odd, note('a')],
      [note('a'), odd],
      [note('a'), odd, note('b')],
    ]) {
      await expect(fly(...statements)).rejects.toThrow(/circular/i);
      expect(await notes()).toBe(0);
    }
    await fly(note('c'));
    expect(await notes()).toBe(1);
  });

  it('rejects a number that JavaScript cannot hold, although the server was content', async () => {
    await expect(fly(statement('big', 'select 9007199254740993::bigint as big'), one(1))).rejects.toThrow(RangeError);
    expect((await fly(one(5)))[0]!.rows).toEqual([{ one: 5 }]);
  });

  it('says that a plan is lost when a column was added under `select *`, and has the new one the next time', async () => {
    const all = statement('all', 'select * from notes');
    await fly(note('a'), all);
    await client.query('alter table notes add column stars int default 5');
    const failure = await fly(one(1), all).catch((error: unknown) => error);
    expect(isPlanLost(failure)).toBe(true);
    const [, again] = await fly(one(2), all);
    expect(again!.rows).toEqual([{ text: 'a', stars: 5 }]);
  });

  it.each(['deallocate all', 'discard all'])(
    'survives %s: each name is found lost once, then parsed anew',
    async (how) => {
      await fly(one(1));
      await client.query(how);
      const failure = await fly(one(2)).catch((error: unknown) => error);
      expect(isPlanLost(failure)).toBe(true);
      expect((await fly(one(3)))[0]!.rows).toEqual([{ one: 3 }]);
    },
  );

  it('answers a statement behind the Sync after the commit, and after the rollback too', async () => {
    const [committed, seen] = await flyWithTail([note('a')], COUNT);
    expect([committed.status, seen]).toMatchObject(['fulfilled', { value: [{ rows: [{ notes: 1 }] }] }]);
    const [failed, still] = await flyWithTail([note('b'), bad()], COUNT);
    expect([failed.status, still]).toMatchObject(['rejected', { value: [{ rows: [{ notes: 1 }] }] }]);
  });

  it('has committed when only the statement behind it fails', async () => {
    const [committed, behind] = await flyWithTail([note('a')], bad());
    expect([committed.status, behind.status]).toEqual(['fulfilled', 'rejected']);
    expect(await notes()).toBe(1);
  });

  it('refuses COPY without losing the connection', async () => {
    await expect(fly(statement('', 'copy notes from stdin'))).rejects.toMatchObject({ code: '57014' });
  });

  it('rejects what is under way, and what stands behind it, when the connection breaks', async () => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    client.on('error', () => undefined);
    const sleeping = fly(statement('', 'select pg_sleep(60)'));
    const behind = fly(one(1));
    const failures = Promise.all([sleeping.catch((error: unknown) => error), behind.catch((error: unknown) => error)]);
    await env.query('select pg_terminate_backend($1)', [rows[0]!.pid]);
    for (const failure of await failures) expect(failure).toBeInstanceOf(Error);
    await client.end().catch(() => undefined);
    client = await env.connectAs('app');
  });
});
