/** Processor time of processes of this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { processorSeconds } from './processor-time';

it('counts a process that works, and its children, also when they have ended', async () => {
  const before = processorSeconds(process.pid);
  const until = performance.now() + 200;
  while (performance.now() < until);
  expect(processorSeconds(process.pid) - before).toBeGreaterThanOrEqual(0.05);
  const worked = processorSeconds(process.pid);
  const work = 'const until = performance.now() + 300; while (performance.now() < until);';
  await once(spawn(process.execPath, ['-e', work]), 'exit');
  expect(processorSeconds(process.pid) - worked).toBeGreaterThanOrEqual(0.1);
});

it('counts nothing of a process that is not there', () => {
  expect(processorSeconds(2 ** 30)).toBe(0);
});
