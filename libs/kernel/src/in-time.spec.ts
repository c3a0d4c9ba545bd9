import { inTime } from './in-time';

const PATIENCE_MS = 500;

describe('inTime', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
  afterEach(() => jest.useRealTimers());

  it('passes an answer on and leaves no timer behind', async () => {
    await expect(inTime(Promise.resolve(7), PATIENCE_MS)).resolves.toBe(7);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('passes an error on and leaves no timer behind', async () => {
    const error = new Error('refused');
    await expect(inTime(Promise.reject(error), PATIENCE_MS)).rejects.toBe(error);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('takes an answer that comes at the last moment', async () => {
    const answer = new Promise<string>((resolve) => setTimeout(() => resolve('just so'), PATIENCE_MS - 1));
    const asked = inTime(answer, PATIENCE_MS);
    await jest.advanceTimersByTimeAsync(PATIENCE_MS - 1);
    await expect(asked).resolves.toBe('just so');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up when its patience is over, not before', async () => {
    let outcome: unknown;
    void inTime(new Promise(() => undefined), PATIENCE_MS).catch((error: unknown) => (outcome = error));
    await jest.advanceTimersByTimeAsync(PATIENCE_MS - 1);
    expect(outcome).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(outcome).toMatchObject({ message: 'It took too long.' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('drops an error that comes too late', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const answer = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), PATIENCE_MS * 2));
      const refused = expect(inTime(answer, PATIENCE_MS)).rejects.toThrow('It took too long.');
      await jest.advanceTimersByTimeAsync(PATIENCE_MS * 2);
      await refused;
      await new Promise((resolve) => setImmediate(resolve)); // where Node tells of rejections that nobody handles
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });
});
