import { answer, node, position, primaryAt, refuse, shardOf, standbyAt, timeline } from '../../test/cluster-of-nodes';

describe('a shard', () => {
  it('has no primary before one has answered, and says so with 503 at once', () => {
    const shard = shardOf([node('a'), node('b')]);
    expect(() => shard.requirePrimary()).toThrow(
      expect.objectContaining({ code: 'database_unavailable', category: 'unavailable', retryAfterSeconds: 1 }),
    );
  });

  it('takes the candidate that takes writes; a node that is only a replica is never the primary', () => {
    const [a, r] = [node('a'), node('r', false)];
    const shard = shardOf([a, r]);
    answer(shard, r, primaryAt(50, 9));
    expect(shard.primary).toBeUndefined();
    answer(shard, a, primaryAt(10));
    expect(shard.primary).toBe(a);
  });

  it('follows a promotion, and takes of two primaries the one on the later timeline, whoever answers last', () => {
    const [a, b] = [node('a'), node('b')];
    const shard = shardOf([a, b]);
    answer(shard, a, primaryAt(100));
    answer(shard, b, standbyAt(100));
    answer(shard, b, primaryAt(90, 2));
    expect([shard.primary, shard.timeline]).toEqual([b, timeline(2)]);
    answer(shard, a, primaryAt(900));
    expect(shard.primary).toBe(b);
  });

  it('does not go back to a primary that was promoted away from, while the new one is away', () => {
    const [a, b] = [node('a'), node('b')];
    const shard = shardOf([a, b]);
    answer(shard, a, primaryAt(100));
    answer(shard, b, primaryAt(90, 2));
    refuse(shard, b);
    answer(shard, a, primaryAt(500));
    expect(shard.primary).toBeUndefined();
    answer(shard, a, standbyAt(95));
    answer(shard, b, primaryAt(96, 2));
    expect(shard.primary).toBe(b);
  });

  it('keeps the timeline while there is no primary, and has the old one back', () => {
    const a = node('a');
    const shard = shardOf([a, node('b')]);
    answer(shard, a, primaryAt(100, 3));
    refuse(shard, a);
    expect([shard.primary, shard.timeline]).toEqual([undefined, timeline(3)]);
    answer(shard, a, primaryAt(100, 3));
    expect(shard.primary).toBe(a);
  });

  it('uses standbys that are up and young enough, of any age while there is no primary', () => {
    const [a, b, c] = [node('a'), node('b'), node('c', false)];
    const shard = shardOf([a, b, c], 1_000);
    answer(shard, b, standbyAt(100));
    answer(shard, c, standbyAt(200));
    answer(shard, a, primaryAt(100), 0);
    answer(shard, a, primaryAt(200), 100);
    expect(shard.usableReplicas(1_000)).toEqual([b, c]);
    expect(shard.usableReplicas(1_101)).toEqual([c]);
    refuse(shard, c);
    expect(shard.usableReplicas(1_101)).toEqual([]);
    refuse(shard, a);
    expect(shard.usableReplicas(9_999)).toEqual([b]);
  });

  it('uses no standby that has not followed the promotion, however far its log is', () => {
    const [a, b, c] = [node('a'), node('b'), node('c', false)];
    const shard = shardOf([a, b, c]);
    answer(shard, a, primaryAt(100));
    answer(shard, c, standbyAt(120));
    answer(shard, b, primaryAt(90, 2));
    expect(shard.usableReplicas(0)).toEqual([]);
    answer(shard, c, { ...standbyAt(900), timeline: null });
    expect(shard.usableReplicas(0)).toEqual([]);
    refuse(shard, b);
    expect(shard.usableReplicas(0)).toEqual([]);
    answer(shard, c, standbyAt(95, 2));
    expect(shard.usableReplicas(0)).toEqual([c]);
  });

  it('measures how far behind a node is in time and in log', () => {
    const a = node('a');
    const shard = shardOf([a]);
    answer(shard, a, primaryAt(100), 0);
    answer(shard, a, primaryAt(300), 500);
    expect([shard.lagMs(position(100), 800), shard.lagBytes(position(100))]).toEqual([300, 200]);
    expect([shard.lagMs(position(400), 800), shard.lagBytes(position(400))]).toEqual([0, 0]);
  });

  it('does not measure along the log of a timeline that ended', () => {
    const [a, b] = [node('a'), node('b')];
    const shard = shardOf([a, b]);
    answer(shard, a, primaryAt(1_000), 0);
    answer(shard, b, primaryAt(600, 2), 100);
    expect(shard.lagBytes(position(600))).toBe(0);
    expect(shard.lagMs(position(600), 5_000)).toBe(0);
  });

  it('wakes who waits for a primary, and lets nobody wait for ever', async () => {
    const a = node('a');
    const shard = shardOf([a]);
    const woken = shard.primaryWithin(60_000);
    answer(shard, a, primaryAt(1));
    await woken;
    refuse(shard, a);
    await shard.primaryWithin(1);
    expect(shard.primary).toBeUndefined();
  });

  it('ends what waits for a node when that is found dead, and hands over what comes too late', async () => {
    const a = node('a');
    const shard = shardOf([a]);
    answer(shard, a, primaryAt(1));
    const late: string[] = [];
    let connect!: (value: string) => void;
    const waiting = a.untilDead(new Promise<string>((resolve) => (connect = resolve)), (value) => late.push(value));
    const failing = a.untilDead(Promise.reject(new Error('full')), () => undefined);
    await expect(failing).rejects.toThrow('full');
    await expect(a.untilDead(Promise.resolve('in time'), (value) => late.push(value))).resolves.toBe('in time');
    refuse(shard, a);
    await expect(waiting).rejects.toThrow('found dead');
    connect('too late');
    await waiting.catch(() => undefined);
    expect(late).toEqual(['too late']);
  });
});
