import { type ErrorCategory, StockyardError } from '#libs/kernel';
import { failureOf, JobInterrupted, JobSuperseded, outcomeOf, pauseMs } from './job-outcome';

const facts = { attempt: 1, attempts: 3, waits: 0 };
const error = (category: ErrorCategory, retryAfterSeconds?: number) =>
  new StockyardError({ code: 'x', category, message: 'Why.', retryAfterSeconds });

describe('outcomeOf', () => {
  it.each<ErrorCategory>(['invalid', 'unprocessable', 'conflict', 'forbidden', 'not_found', 'too_large'])(
    'fails at once on a refusal: %s',
    (category) => {
      expect(outcomeOf(error(category), facts).kind).toBe('failed');
    },
  );

  it.each<ErrorCategory>(['unavailable', 'limited'])('waits without using an attempt: %s', (category) => {
    expect(outcomeOf(error(category), { ...facts, attempt: 3 }).kind).toBe('later');
    expect(outcomeOf(error(category, 60), facts)).toEqual({ kind: 'later', delayMs: 60_000 });
  });

  it('waits for an organization that was suspended meanwhile, but not for one that goes away', () => {
    const refused = (state: string) =>
      new StockyardError({
        code: 'organization_not_active',
        category: 'forbidden',
        message: 'No.',
        details: { state },
      });
    expect(outcomeOf(refused('suspended'), { ...facts, attempt: 3 })).toEqual({ kind: 'later', delayMs: 60_000 });
    expect(outcomeOf(refused('deleting'), facts).kind).toBe('failed');
  });

  it('tries anything else again until the attempts are used up', () => {
    expect(outcomeOf(new TypeError('bug'), facts).kind).toBe('retry');
    expect(outcomeOf(error('internal'), { ...facts, attempt: 2 }).kind).toBe('retry');
    expect(outcomeOf(new TypeError('bug'), { ...facts, attempt: 3 }).kind).toBe('failed');
    expect(outcomeOf('thrown text', { ...facts, attempt: 3 })).toMatchObject({ kind: 'failed' });
  });

  it('hands back what was interrupted and lets go of what was taken over', () => {
    expect(outcomeOf(new JobInterrupted(), facts).kind).toBe('handed_back');
    expect(outcomeOf(new JobSuperseded(), facts).kind).toBe('skipped');
  });

  it('waits longer each time, up to a minute', () => {
    const pauses = Array.from({ length: 20 }, (_, waits) => pauseMs(waits));
    expect(pauses.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
    expect(Math.max(...pauses)).toBe(60_000);
  });
});

describe('failureOf', () => {
  it('tells a tenant why it was refused, and nothing of the inside', () => {
    expect(failureOf(error('invalid'))).toEqual({ code: 'x', message: 'Why.' });
    expect(failureOf(new Error('password=secret at 10.0.0.1'))).toEqual({
      code: 'internal_error',
      message: expect.not.stringContaining('secret'),
    });
  });
});
