import { ManualClock } from '#libs/kernel';
import fc from 'fast-check';
import { EnvelopeCodec } from './envelope';

const clock = new ManualClock();
const codec = new EnvelopeCodec({ secret: 'a-secret-of-tests', deployment: 'one', clock });
const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const sealed = (nonce?: string) => overTheWire(codec.seal('usage.summary', { a: 1 }, nonce)) as Record<string, unknown>;

describe('an envelope', () => {
  it('gives back any JSON payload after the wire', () => {
    fc.assert(
      fc.property(fc.json(), fc.option(fc.string({ maxLength: 40 }), { nil: undefined }), (json, nonce) => {
        const payload: unknown = JSON.parse(json);
        expect(codec.open(overTheWire(codec.seal('x', payload, nonce)), 'x', nonce)).toEqual({ payload });
      }),
    );
  });

  it.each([
    ['the payload', { payload: { a: 2 } }],
    ['the name', { name: 'cluster.snapshot' }],
    ['the time', { issued_at: clock.nowMs() - 1 }],
    ['the nonce', { nonce: 'another' }],
    ['the signature', { mac: 'AAAA' }],
  ])('is refused when %s was changed', (_what, change) => {
    expect(codec.open({ ...sealed('n'), ...change }, 'usage.summary', 'n')).toEqual({ fault: 'forged' });
  });

  it('is refused when another secret or another deployment signed it', () => {
    for (const other of [
      { secret: 'another-secret', deployment: 'one', clock },
      { secret: 'a-secret-of-tests', deployment: 'two', clock },
    ]) {
      const foreign = new EnvelopeCodec(other).seal('usage.summary', { a: 1 });
      expect(codec.open(foreign, 'usage.summary')).toEqual({ fault: 'forged' });
    }
  });

  it('passes between processes that have the new secret, and those that only know it', () => {
    const [former, next] = ['a-secret-of-tests', 'the-next-secret'];
    const having = (secret: string, before?: string) => new EnvelopeCodec({ secret, before, deployment: 'one', clock });
    const [told, changed] = [having(former, next), having(next, former)];
    for (const [from, to] of [
      [told, changed],
      [changed, told],
      [codec, told],
      [told, codec],
    ] as const) {
      expect(to.open(overTheWire(from.seal('x', 1)), 'x')).toEqual({ payload: 1 });
    }
    expect(having(next).open(overTheWire(told.seal('x', 1)), 'x')).toEqual({ fault: 'forged' });
  });

  it('is refused under another name and for another question', () => {
    expect(codec.open(sealed('n'), 'cluster.snapshot', 'n')).toEqual({ fault: 'misdirected' });
    expect(codec.open(sealed('n'), 'usage.summary', 'm')).toEqual({ fault: 'misdirected' });
  });

  it('is refused from the sixty-first second on, and when it comes from a future as far', () => {
    const old = sealed();
    clock.advance(60_000);
    expect(codec.open(old, 'usage.summary')).toEqual({ payload: { a: 1 } });
    clock.advance(1);
    expect(codec.open(old, 'usage.summary')).toEqual({ fault: 'expired' });
    const future = sealed();
    clock.advance(-60_001);
    expect(codec.open(future, 'usage.summary')).toEqual({ fault: 'expired' });
  });

  it('never throws over what is no envelope', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(codec.open(value, 'x')).toEqual({ fault: 'malformed' });
      }),
    );
  });
});
