/** Positions and fair positions of jobs, from their times. */
import { positionOf, type RanJob } from './job-positions';

let number = 0;
const job = (
  organizationId: string,
  createdAt: number,
  startedAt: number | null,
  finishedAt: number | null,
): RanJob => ({
  id: String((number += 1)),
  ...{ organizationId, createdAt, startedAt, finishedAt },
});

/** Of the loud tenant: two that run at 100, and more that wait. */
const running = [job('loud', 0, 90, 110), job('loud', 0, 95, 115)];
const waiting = [job('loud', 0, 110, 130), job('loud', 0, null, null), job('loud', 0, null, null)];
const over = [job('loud', 0, 10, 99), job('loud', 0, 20, 100)];
const jobs = [...over, ...running, ...waiting];

it('counts what ends between making and end of a job, itself included', () => {
  const own = job('own', 100, 115, 135);
  expect(positionOf(own, [...jobs, own])).toEqual({ position: 4, fair: 4 });
  const late = job('own', 100, 900, 999);
  expect(positionOf(late, [...jobs, late])!.position).toBe(4);
  const more = Array.from({ length: 20 }, (_, index) => job('loud', 0, 130 + index, 150 + index));
  expect(positionOf(late, [...jobs, ...more, late])).toEqual({ position: 24, fair: 4 });
});

it('grants each tenant that waits one turn for each of the own, of those that were made before', () => {
  const elder = job('own', 50, 120, 140);
  const other = job('other', 99, 130, 150);
  const younger = job('third', 101, 140, 160);
  const own = job('own', 100, 140, 160);
  expect(positionOf(own, [...jobs, elder, other, younger, own])!.fair).toBe(2 + 2 + 2 + 1);
});

it('says nothing of a job that has not ended', () => {
  const own = job('own', 100, 115, null);
  expect(positionOf(own, [...jobs, own])).toBeUndefined();
});
