/** A relay alone in a process, to be killed: it fills the queue, and nobody takes anything out. */
import 'reflect-metadata';
import { loadConfig } from '#libs/config';
import { OutboxRelay, TopicRegistry } from '../src';
import { HAPPENED, happenedWork } from './happened';
import { workerUnderTest } from './worker-under-test';

async function main(): Promise<void> {
  const { app } = await workerUnderTest({ config: loadConfig(), jobs: [], handlers: [] });
  app.get(TopicRegistry).subscribe(HAPPENED, happenedWork);
  app.get(OutboxRelay).start();
  process.stdout.write('ready\n');
}

void main();
