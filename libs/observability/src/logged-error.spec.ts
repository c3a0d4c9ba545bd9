import { StockyardError } from '#libs/kernel';
import { loggedError } from './logged-error';

describe('an error in the log', () => {
  it('shows what it is, not what was sent along', () => {
    const error = Object.assign(new TypeError('cannot'), {
      ...{
        code: '23505',
        severity: 'ERROR',
        table: 'users',
        constraint: 'users_email',
        detail: 'Key (email)=(hidden)',
      },
      ...{ query: 'insert hidden', parameters: ['hidden'], command: { name: 'auth', args: ['hidden'] } },
      ...{ config: { headers: { authorization: 'hidden' } }, request: { body: 'hidden' } },
    });
    const shown = loggedError(error);
    expect(shown).toMatchObject({ type: 'TypeError', message: 'cannot', code: '23505', constraint: 'users_email' });
    expect(JSON.stringify(shown)).not.toContain('hidden');
  });

  it('shows causes and errors of an aggregate, and ends where they go round', () => {
    const root = new Error('root');
    const refused = new StockyardError({ code: 'refused', category: 'unavailable', message: 'no', cause: root });
    expect(loggedError(new AggregateError([refused], 'all'))).toMatchObject({
      ...{ type: 'AggregateError', message: 'all' },
      errors: [{ code: 'refused', category: 'unavailable', cause: { message: 'root' } }],
    });
    const round = new Error('round');
    round.cause = round;
    expect(JSON.stringify(loggedError(round)).length).toBeLessThan(20_000);
  });

  it('shows of what is no error its type, and a text as it is', () => {
    expect(loggedError('text')).toEqual({ type: 'string', message: 'text' });
    expect(loggedError({ token: 'hidden' })).toEqual({ type: 'object' });
    expect(loggedError(null)).toBeNull();
    expect(loggedError(Object.assign(Object.create(null) as object, { message: 'bare' }))).toMatchObject({
      type: 'Error',
    });
    expect(loggedError({ message: 'like one', token: 'hidden' })).toMatchObject({ message: 'like one' });
  });
});
