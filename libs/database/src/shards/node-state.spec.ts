import fc from 'fast-check';
import { NodeState } from './node-state';

type Event = 'standby answers' | 'primary answers' | 'refuses' | 'is silent';

const EVENTS: readonly Event[] = ['standby answers', 'primary answers', 'refuses', 'is silent'];
const answers = (event: Event) => event === 'standby answers' || event === 'primary answers';

function happen(state: NodeState, event: Event): boolean {
  if (event === 'refuses' || event === 'is silent') return state.failed(event === 'refuses');
  return state.answered({ standby: event === 'standby answers', lsn: '0/10', timeline: null });
}

/** The breaker as a function of everything that happened, without a state of its own. */
function shouldBeUp(events: readonly Event[]): boolean {
  let up = false;
  for (const [index, event] of events.entries()) {
    const [before, past] = [events[index - 1], events.slice(0, index)];
    if (answers(event)) up ||= !past.some(answers) || (before !== undefined && answers(before));
    else if (event === 'refuses' || (before !== undefined && !answers(before))) up = false;
  }
  return up;
}

describe('NodeState', () => {
  it('keeps its breaker as the model says, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), (events) => {
        const state = new NodeState();
        for (const [index, event] of events.entries()) {
          const [wasUp, wasStandby] = [state.isUp, state.standby];
          const told = happen(state, event);
          expect(state.isUp).toBe(shouldBeUp(events.slice(0, index + 1)));
          expect(told).toBe(wasUp !== state.isUp || wasStandby !== state.standby);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is down before its first answer, and up with it', () => {
    const state = new NodeState();
    expect([state.isUp, state.standby]).toEqual([false, undefined]);
    happen(state, 'standby answers');
    expect([state.isUp, state.standby]).toEqual([true, true]);
  });

  it('forgets one silence as soon as there is an answer', () => {
    const state = new NodeState();
    for (const event of ['primary answers', 'is silent', 'primary answers', 'is silent'] as const) happen(state, event);
    expect(state.isUp).toBe(true);
  });

  it('knows where it is as of the last answer, also from a flight', () => {
    const state = new NodeState();
    state.answered({ standby: false, lsn: 'A/1F', timeline: '00000003' });
    expect([state.position, state.timeline]).toEqual(['0000000A0000001F', '00000003']);
    state.answered({ standby: true, lsn: null, timeline: null });
    expect([state.position, state.timeline]).toEqual(['', undefined]);
    state.replayedTo('B/0');
    expect(state.position).toBe('0000000B00000000');
  });

  it('gives up on a standby sooner than on a primary', () => {
    const [standby, primary] = [new NodeState(), new NodeState()];
    happen(standby, 'standby answers');
    happen(primary, 'primary answers');
    expect(standby.patienceMs).toBeLessThan(primary.patienceMs);
  });
});
