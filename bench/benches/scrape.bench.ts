/**
 * A scrape of the metrics process with 5,000 tenants, all of which have used something this hour, against one with 5: its figures are
 * collected apart from it, and only the busiest tenants have some of their own.
 */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createManyTenants, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { createMetrics } from '../../apps/metrics/src/create-metrics';
import type { Bench, Contestant } from '../harness/bench';
import { startBenchServers } from '../harness/servers';

const MANY = 5_000;
const FEW = 5;

async function metricsWith(environment: TestEnvironment, tenants: number): Promise<NestFastifyApplication> {
  await createManyTenants(environment, tenants);
  const app = await createMetrics(environment.config);
  await app.init();
  return app;
}

function scrapes(name: string, app: NestFastifyApplication): Contestant {
  return {
    name,
    run: async (operations) => {
      for (let scrape = 0; scrape < operations; scrape += 1) {
        const { statusCode, body } = await app.inject({ url: '/metrics' });
        if (statusCode !== 200 || !body.includes('stockyard_tenant_hour_api_calls{tenant="other"}'))
          throw new Error(`No scrape: ${statusCode}`);
      }
    },
  };
}

export const SCRAPE_BENCH: Bench = {
  name: 'scrape',
  about: 'A scrape of the metrics process with 5,000 tenants against one with 5, while collectors run.',
  async *compare() {
    const servers = await startBenchServers({ durable: false });
    const few = await createTestEnvironment({ DATABASE_REPLICA_URLS: '' });
    const apps = await Promise.all([metricsWith(servers.environment, MANY), metricsWith(few, FEW)]);
    try {
      yield { name: 'tenants', measures: 'p50', subject: scrapes('many', apps[0]), reference: scrapes('few', apps[1]) };
    } finally {
      await Promise.all(apps.map((app) => app.close()));
      await few.dispose();
      await servers.close();
    }
  },
};
