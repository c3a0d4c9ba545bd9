/** docs/metrics.md names every metric of every process, with its labels, and no other: held against the processes themselves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppConfig } from '#libs/config';
import { MetricsRegistry } from '#libs/observability';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { createApi } from '../../api/src/create-api';
import { createWorker } from '../../worker/src/create-worker';
import { createMetrics } from './create-metrics';

const PAGE = join(process.cwd(), 'docs/metrics.md');
const ROW = /^\| `((?:stockyard|http|nodejs|process)_[a-z0-9_]+)` *\| *(.*?) *\| *(.*?) *\| *(.*?) *\| *(.*?) *\|$/;
const PROCESSES: Readonly<Record<string, (config: AppConfig) => Promise<NestFastifyApplication>>> = {
  api: createApi,
  worker: createWorker,
  metrics: createMetrics,
};

interface Row {
  readonly name: string;
  readonly labels: string;
  readonly unit: string;
  readonly processes: string;
  readonly advice: string;
}

function rowsOfPage(): Row[] {
  return readFileSync(PAGE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, labels, unit, processes, advice] = ROW.exec(line) ?? [];
      return name === undefined ? [] : [{ name, labels: labels!, unit: unit!, processes: processes!, advice: advice! }];
    });
}

const labelsText = (labels: readonly string[]) => [...labels].sort().join(', ');

describe('the page of metrics', () => {
  let env: TestEnvironment;
  /** `name{labels}` → processes. */
  const found = new Map<string, string[]>();

  beforeAll(async () => {
    env = await createTestEnvironment();
    for (const [process, create] of Object.entries(PROCESSES)) {
      const app = await create(env.config);
      for (const { name, labels } of app.get(MetricsRegistry).families()) {
        const key = `${name}{${labelsText(labels)}}`;
        found.set(key, [...(found.get(key) ?? []), process]);
      }
      await app.close();
    }
  });

  afterAll(() => env.dispose());

  it('has a row for each metric of the processes, and each of its rows is one of theirs', () => {
    const stated = rowsOfPage().map(({ name, labels, processes }) => {
      const names = labels === '' ? [] : labels.replaceAll('`', '').split(', ');
      const where = processes === 'all' ? Object.keys(PROCESSES) : processes.split(', ');
      return `${name}{${labelsText(names)}} ${where.join(', ')}`;
    });
    const there = [...found].map(([key, processes]) => `${key} ${processes.join(', ')}`);
    expect(stated.sort()).toEqual(there.sort());
  });

  it('says the unit of each and what to do about it', () => {
    for (const { name, unit, advice } of rowsOfPage()) expect([name, unit, advice]).not.toContain('');
  });
});
