import { StopWaiting, waitFor } from './wait-for';

describe('waitFor', () => {
  it('answers what the probe answers as soon as it is truthy', async () => {
    let calls = 0;
    await expect(waitFor(() => (++calls === 3 ? 'there' : false), { what: 'it', intervalMs: 1 })).resolves.toBe(
      'there',
    );
  });

  it('counts an error as not yet, and reports the last one after the deadline', async () => {
    const waiting = waitFor(() => Promise.reject(new Error('refused')), {
      what: 'a server',
      timeoutMs: 30,
      intervalMs: 5,
    });
    await expect(waiting).rejects.toThrow('Waited 0.0 s in vain for a server: refused');
  });

  it('gives up at the deadline even while a probe hangs', async () => {
    const waiting = waitFor(() => new Promise<never>(() => undefined), { what: 'godot', timeoutMs: 30 });
    await expect(waiting).rejects.toThrow('godot: the last try gave no answer');
  });

  it('ends at once when the probe says that it is in vain', async () => {
    const probe = () => Promise.reject(new StopWaiting('the process ended'));
    await expect(waitFor(probe, { what: 'it', timeoutMs: 60_000 })).rejects.toThrow('the process ended');
  });
});
