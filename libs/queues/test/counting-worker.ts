/** A worker process that only counts, to be killed: relay, processors and upkeep as in the product. */
import 'reflect-metadata';
import { loadConfig } from '#libs/config';
import { COUNTING, CountingHandler } from './counting-job';
import { workerUnderTest } from './worker-under-test';

async function main(): Promise<void> {
  const worker = await workerUnderTest({ config: loadConfig(), jobs: [COUNTING], handlers: [CountingHandler] });
  worker.start();
  process.stdout.write('ready\n');
}

void main();
