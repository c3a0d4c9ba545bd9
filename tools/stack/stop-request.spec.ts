import { StopRequest } from './stop-request';

describe('a request to stop', () => {
  const setUp = () => {
    const hurry = jest.fn();
    return { hurry, stop: new StopRequest(hurry) };
  };

  it('says which signal came first', async () => {
    const { stop } = setUp();
    expect(stop.isRequested).toBe(false);
    stop.signal('SIGTERM');
    expect(stop.isRequested).toBe(true);
    await expect(stop.requested).resolves.toBe('SIGTERM');
  });

  it('takes one Ctrl-C that arrives by several ways for one', () => {
    const { stop, hurry } = setUp();
    stop.signal('SIGINT', 1_000);
    stop.signal('SIGINT', 1_010);
    stop.signal('SIGHUP', 9_000);
    expect(hurry).not.toHaveBeenCalled();
  });

  it('hurries at a second Ctrl-C', () => {
    const { stop, hurry } = setUp();
    stop.signal('SIGINT', 1_000);
    stop.signal('SIGINT', 3_000);
    expect(hurry).toHaveBeenCalledTimes(1);
  });
});
