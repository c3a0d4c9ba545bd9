import { Readable } from 'node:stream';
import { StreamWatch } from '#libs/http';
import { newId, StockyardError } from '#libs/kernel';
import type { Job } from '#libs/queues';
import { JobEventStream, positionOf } from './job-event-stream';
import type { JobLook } from './job-reader.service';

const job = (change: Partial<Job> = {}) =>
  ({
    ...{ id: newId(), type: 't', class: 'bulk', state: 'running', processed: 0, failed: 0, total: null, log_lines: 0 },
    ...{ created_at: new Date(0), started_at: null, finished_at: null, run_at: null },
    ...change,
  }) as Job;
const line = (number: number) => ({ line: number, at: new Date(0), level: 'info' as const, message: `Line ${number}` });

/** A stream over looks that a spec makes; the last one stays. */
function streamOf(looks: (JobLook | Error | undefined)[], pollMs = 20) {
  const watch = new StreamWatch('organization', 'job');
  let looked = 0;
  const next = (): JobLook | undefined => {
    const look = looks[Math.min(looked, looks.length - 1)];
    looked += 1;
    if (look instanceof Error) throw look;
    return look;
  };
  const stream = new JobEventStream({ watch, first: next()!, line: 0, pollMs, look: async () => next() });
  return { watch, events: stream.events(), looked: () => looked };
}

const unavailable = new StockyardError({ code: 'x', category: 'unavailable', message: 'Away.' });
const forbidden = new StockyardError({ code: 'x', category: 'forbidden', message: 'No.' });

async function told(events: AsyncIterable<string>): Promise<string[]> {
  const texts: string[] = [];
  for await (const text of events) texts.push(...text.split('\n').filter((each) => /^(event|id|:)/.test(each)));
  return texts;
}

describe('JobEventStream', () => {
  it('tells lines before the state they led to, each once, and the end last', async () => {
    const looks = [
      { job: job(), lines: [] },
      { job: job({ log_lines: 2 }), lines: [line(1), line(2)] },
      { job: job({ log_lines: 4, state: 'completed' }), lines: [line(3)] },
      { job: job({ log_lines: 4, state: 'completed' }), lines: [line(4)] },
    ];
    const { events } = streamOf(looks);
    const texts = await told(events);
    expect(texts.filter((text) => text.startsWith('id'))).toEqual(
      ['0', '1', '2', '2', '3', '3', '4', 'end-4'].map((id) => `id: ${id}`),
    );
    expect(texts.at(-2)).toBe('event: job');
  });

  it('ends though lines that it has not told made room for newer ones', async () => {
    const { events } = streamOf([
      { job: job(), lines: [] },
      { job: job({ log_lines: 3, state: 'failed' }), lines: [] },
    ]);
    expect((await told(events)).at(-1)).toBe('id: end-3');
  });

  it('outlives a database that is away, and not a credential that no longer counts', async () => {
    const { events } = streamOf([{ job: job(), lines: [] }, unavailable, unavailable, forbidden]);
    expect(await told(events)).toEqual(['event: job', 'id: 0', ':', ':']);
  });

  it('ends with its job, and when it is told to', async () => {
    expect(await told(streamOf([{ job: job(), lines: [] }, undefined]).events)).toHaveLength(2);
    const { watch, events } = streamOf([{ job: job(), lines: [] }], 60_000);
    const all = told(events);
    watch.end();
    expect(await all).toHaveLength(2);
  });

  it('looks no further while nobody takes what it found', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => ({ job: job({ processed: index }), lines: [] }));
    const { events, looked, watch } = streamOf(many);
    const stream = Readable.from(events, { objectMode: false, highWaterMark: 64 });
    stream.read(0);
    for (let hint = 0; hint < 40; hint += 1) {
      watch.hint();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(looked()).toBe(1);
    stream.destroy();
  });

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['-1', undefined],
    ['12', { line: 12, final: false }],
    ['end-12', { line: 12, final: true }],
    ['end-', undefined],
    ['9'.repeat(30), undefined],
  ])('reads %p as a position', (id, position) => {
    expect(positionOf(id)).toEqual(position);
  });
});
