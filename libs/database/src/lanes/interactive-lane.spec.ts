import { InteractiveLane, type LaneResult, type OpenedLane } from './interactive-lane';

const result = (command: string): LaneResult => ({ rows: [], rowCount: 0, command });

/** Opens a transaction that notes what it is sent. */
class Opener {
  readonly opened: string[] = [];
  readonly sent: string[] = [];
  next: () => Promise<OpenedLane['first']> = () => Promise.resolve(result('SELECT'));

  async open(text: string): Promise<OpenedLane> {
    this.opened.push(text);
    const first = await this.next();
    const send = (query: string) => {
      this.sent.push(query);
      return Promise.resolve(result('SELECT'));
    };
    return { first, send };
  }
}

describe('InteractiveLane', () => {
  let opener: Opener;
  let lane: InteractiveLane;

  beforeEach(() => {
    opener = new Opener();
    lane = new InteractiveLane(opener);
  });

  it('opens with its first query, once, even if the first come at the same time', async () => {
    expect(lane.isOpen).toBe(false);
    await Promise.all([lane.query('one'), lane.query('two'), lane.query('three')]);
    expect([opener.opened, opener.sent, lane.isOpen]).toEqual([['one'], ['two', 'three'], true]);
  });

  it('is not opened by nothing', async () => {
    await lane.close();
    expect(opener.opened).toEqual([]);
  });

  it('tells the failure of the first query, and leaves the transaction open for its rollback', async () => {
    const failure = new Error('no such table');
    opener.next = () => Promise.resolve({ failure });
    await expect(lane.query('one')).rejects.toBe(failure);
    expect(lane.isOpen).toBe(true);
    await lane.query('two');
    expect(opener.sent).toEqual(['two']);
  });

  it('tells who opened why it could not be opened; who waited tries for itself', async () => {
    const answers: (() => Promise<OpenedLane['first']>)[] = [
      () => Promise.reject(new Error('refused')),
      () => Promise.resolve(result('SELECT')),
    ];
    opener.next = () => answers.shift()!();
    const [one, two] = await Promise.allSettled([lane.query('one'), lane.query('two')]);
    expect([one.status, two.status, lane.isOpen]).toEqual(['rejected', 'fulfilled', true]);
    expect(opener.opened).toEqual(['one', 'two']);
  });

  it.each(['BEGIN', ' begin', 'START  TRANSACTION', 'COMMIT', 'ROLLBACK', 'End', 'abort'])(
    'leaves the end of the transaction to the gateway: %s is refused',
    async (text) => {
      await expect(lane.query(text)).rejects.toMatchObject({ code: 'transaction_control' });
      expect(opener.opened).toEqual([]);
    },
  );

  it('refuses streams, and queries after the end', async () => {
    await expect(lane.query({ text: 'select 1' })).rejects.toMatchObject({ code: 'streams_unsupported' });
    await lane.query('one');
    await lane.close();
    await expect(lane.query('two')).rejects.toMatchObject({ code: 'transaction_closed' });
    expect(opener.sent).toEqual([]);
  });

  it('waits at its end for the opening that is under way', async () => {
    let open!: () => void;
    opener.next = () => new Promise((resolve) => (open = () => resolve(result('SELECT'))));
    const query = lane.query('one');
    let closed = false;
    const closing = lane.close().then(() => (closed = true));
    await Promise.resolve();
    expect(closed).toBe(false);
    open();
    await Promise.all([query, closing]);
    expect(lane.isOpen).toBe(true);
  });

  it('nests savepoints, and frees a name with its release or rollback', async () => {
    const texts = ['SAVEPOINT a', 'SAVEPOINT b', 'ROLLBACK TO SAVEPOINT b', 'SAVEPOINT b', 'RELEASE SAVEPOINT b'];
    for (const text of [...texts, 'RELEASE SAVEPOINT a', 'SAVEPOINT a']) await lane.query(text);
    expect(opener.opened.concat(opener.sent)).toHaveLength(7);
  });

  it('refuses a savepoint of a name that is in use: nested transactions in parallel', async () => {
    await lane.query('SAVEPOINT a');
    await expect(lane.query('SAVEPOINT a')).rejects.toMatchObject({ code: 'parallel_transactions' });
    expect(opener.sent).toEqual([]);
  });
});
