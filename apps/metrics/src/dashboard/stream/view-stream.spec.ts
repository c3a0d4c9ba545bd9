import type { Readable } from 'node:stream';
import { eventStream, StreamWatch } from '#libs/http';
import { StockyardError } from '#libs/kernel';
import type { Look } from '../shared-view';
import { ViewStream } from './view-stream';

const lookOf = (content: string): Look<unknown> => ({ view: {}, text: `"${content}"`, content });
const refusal = (category: 'unauthenticated' | 'unavailable', code = 'api_key_revoked') =>
  new StockyardError({ code, category, message: 'No.' });

/** A stream over looks that a spec makes; the last one stays. */
function streamOf(looks: (Look<unknown> | Error)[]) {
  const watch = new StreamWatch('organization', '');
  let looked = 0;
  const look = () => {
    const found = looks[Math.min(looked, looks.length - 1)]!;
    looked += 1;
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  };
  const stream = new ViewStream({ watch, first: lookOf('first'), everyMs: 1, look });
  return { watch, events: stream.events(), looked: () => looked };
}

describe('a stream of a view', () => {
  it('tells each change once, goes on while it cannot look, and ends with why the credential counts no more', async () => {
    const same = lookOf('first');
    const { events } = streamOf([same, refusal('unavailable'), lookOf('second'), lookOf('second'), refusal('unauthenticated')]); // prettier-ignore
    const texts: string[] = [];
    for await (const text of events) texts.push(text);
    expect(texts).toEqual([
      'retry: 2000\n\n',
      'event: view\ndata: "first"\n\n',
      'event: view\ndata: "second"\n\n',
      'event: end\ndata: {"reason":"api_key_revoked","message":"No."}\n\n',
    ]);
  });

  it('says that it is there when nothing has changed for ten seconds', async () => {
    const now = jest.spyOn(performance, 'now');
    try {
      const { watch, events } = streamOf([lookOf('first')]);
      await events.next();
      now.mockReturnValue(1_000);
      await events.next();
      now.mockReturnValue(11_000);
      expect((await events.next()).value).toBe(':\n\n');
      watch.end();
      expect((await events.next()).done).toBe(true);
    } finally {
      now.mockRestore();
    }
  });

  it('ends without a word when it is told to', async () => {
    const { watch, events } = streamOf([lookOf('first')]);
    await events.next();
    await events.next();
    watch.end();
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });

  it('looks no further while nobody reads, and frees its place at once when the reader goes', async () => {
    const looks = Array.from({ length: 1_000 }, (_, index) => lookOf(`${index} ${'x'.repeat(2_000)}`));
    const { watch, events, looked } = streamOf(looks);
    const closed = new Promise<void>((resolve) => {
      const stream: Readable = eventStream({ events, watch, lifeMs: 60_000, closed: resolve });
      stream.once('readable', () => setTimeout(() => stream.destroy(), 60)); // some sixty looks, if it went on
    });
    await closed;
    expect(looked()).toBeLessThanOrEqual(3);
    expect(watch.signal.aborted).toBe(true);
  });
});
