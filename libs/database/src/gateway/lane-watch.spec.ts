import { type ErrorCategory, StockyardError } from '#libs/kernel';
import { type LaneUse, LaneWatch } from './lane-watch';

const refusal = (category: ErrorCategory) => new StockyardError({ code: 'c', category, message: 'm' });

function watched() {
  const watch = new LaneWatch();
  const uses: LaneUse[] = [];
  watch.watch({ used: (use) => uses.push(use), checkedOut: () => undefined, shared: () => undefined });
  return { watch, uses };
}

describe('the watch over lanes', () => {
  it('hands on what the work answers, and tells of it', async () => {
    const { watch, uses } = watched();
    await expect(watch.use('batch', true, () => Promise.resolve(7))).resolves.toBe(7);
    expect(uses).toEqual([{ lane: 'batch', isRead: true, outcome: 'done', ms: expect.any(Number) as number }]);
  });

  it.each([
    ['refused', refusal('unavailable')],
    ['refused', refusal('limited')],
    ['declined', refusal('conflict')],
    ['declined', refusal('precondition_failed')],
    ['failed', refusal('internal')],
    ['failed', new Error('broken')],
  ] as const)('calls it %s when %s is thrown, which its caller gets', async (outcome, error) => {
    const { watch, uses } = watched();
    await expect(watch.use('interactive', false, () => Promise.reject(error))).rejects.toBe(error);
    expect(uses).toMatchObject([{ lane: 'interactive', isRead: false, outcome }]);
  });

  it('is in nobody’s way without a watcher', async () => {
    await expect(new LaneWatch().use('statement', true, () => Promise.resolve(1))).resolves.toBe(1);
  });
});
