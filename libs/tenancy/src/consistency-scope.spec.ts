import { ConsistencyScope } from './consistency-scope';
import type { ConsistencyToken } from './consistency-token';

const at = (position: number, change: Partial<ConsistencyToken> = {}): ConsistencyToken => ({
  ...{ shard: 'main', epoch: 1, timeline: '00000001' },
  position: position.toString(16).toUpperCase().padStart(16, '0'),
  ...change,
});

describe('ConsistencyScope', () => {
  it('knows nothing at first, and that for certain where nothing is kept', async () => {
    expect(await new ConsistencyScope().seen()).toEqual({ token: undefined, proven: true });
    expect(new ConsistencyScope().newest).toBeUndefined();
  });

  it('takes the newer of what was sent and what is kept', async () => {
    const kept = (token?: ConsistencyToken) => () => Promise.resolve(token);
    expect(await new ConsistencyScope(at(5), kept(at(9))).seen()).toEqual({ token: at(9), proven: true });
    expect(await new ConsistencyScope(at(9), kept(at(5))).seen()).toEqual({ token: at(9), proven: true });
    expect(await new ConsistencyScope(undefined, kept(at(5))).seen()).toEqual({ token: at(5), proven: true });
    expect(await new ConsistencyScope(undefined, kept()).seen()).toEqual({ token: undefined, proven: true });
  });

  it('lets a later epoch win over a later timeline, and that over a later position', async () => {
    const scope = new ConsistencyScope(at(900));
    scope.observe(at(5, { timeline: '00000002' }));
    expect(scope.newest).toEqual(at(5, { timeline: '00000002' }));
    scope.observe(at(1, { epoch: 2 }));
    scope.observe(at(999, { timeline: '0000000F' }));
    expect(scope.newest).toEqual(at(1, { epoch: 2 }));
  });

  it('asks for what is kept once, when it is first needed, however many ask at the same time', async () => {
    const load = jest.fn(() => Promise.resolve(at(3)));
    const scope = new ConsistencyScope(undefined, load);
    expect(load).not.toHaveBeenCalled();
    await Promise.all([scope.seen(), scope.seen()]);
    scope.observe(at(4));
    expect(await scope.seen()).toEqual({ token: at(4), proven: true });
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('proves nothing while the keeper is away, unless the caller sent a token or this work has seen something', async () => {
    const away = () => Promise.reject(new Error('away'));
    expect(await new ConsistencyScope(undefined, away).seen()).toEqual({ token: undefined, proven: false });
    expect(await new ConsistencyScope(at(5), away).seen()).toEqual({ token: at(5), proven: true });
    const scope = new ConsistencyScope(undefined, away);
    scope.observe(at(2));
    expect(await scope.seen()).toEqual({ token: at(2), proven: true });
  });

  it('keeps what was seen while it was asking', async () => {
    let answer!: (token: ConsistencyToken) => void;
    const scope = new ConsistencyScope(undefined, () => new Promise((resolve) => (answer = resolve)));
    const asking = scope.seen();
    scope.observe(at(8));
    answer(at(6));
    expect(await asking).toEqual({ token: at(8), proven: true });
  });
});
