/** When those that wait for a tenant's slots are judged by how fast they are served. */
import { newId } from '#libs/kernel';
import type { Insurance } from './insurance';
import { TenantSlots } from './tenant-slots';

const LIMIT = 10;
const LEASED = { leased: LIMIT, allowance: LIMIT, pressed: false, known: true, endsAt: 100_000 };
const refusal = () => new Error('Refused.');

function slotsWithoutLease(insured: () => boolean = () => false): TenantSlots {
  const insurance = { on: insured, part: () => 1 } as unknown as Insurance;
  const of = { organizationId: newId(), mostHere: 100, waitMs: 1_000, changed: () => undefined };
  return new TenantSlots(of, LIMIT, insurance);
}

const wait = (slots: TenantSlots, count: number, now: number) => {
  for (let one = 0; one < count; one += 1) slots.wait(now, refusal).catch(() => undefined);
};

it('does not judge who waits because Redis has not answered', () => {
  const slots = slotsWithoutLease();
  wait(slots, 30, 0);
  expect(slots.worthWaiting(5_000)).toBe(Infinity);
  slots.apply(LEASED, slots.request(5_000, false), 5_000);
  expect([slots.inUse, slots.waiting]).toEqual([LIMIT, 20]);
  expect(slots.worthWaiting(5_249)).toBe(Infinity); // the line begins with the answer
  expect(slots.worthWaiting(6_000)).toBe(3); // ten were served in the second before
});

it('judges who waits for what its limit or the insurance allows', () => {
  for (const insured of [true, false]) {
    const slots = slotsWithoutLease(() => insured);
    slots.apply(LEASED, slots.request(0, false), 0);
    wait(slots, 30, 0);
    slots.serve(0);
    expect([slots.inUse, slots.waiting]).toEqual(insured ? [1, 29] : [LIMIT, 20]);
    expect(slots.worthWaiting(2_100)).toBe(1);
  }
});
