/**
 * What tracing costs: the same requests through an api that records every trace and one that has tracing off, beside each other over
 * the same servers. A request that reads one row, and an order of five lines with some fifteen spans. The collector takes everything and reads nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '#libs/kernel';
import type { TestEnvironment } from '#libs/testing';
import { HttpClient } from '../../tools/replay/client/http-client';
import { StockyardApi } from '../../tools/replay/client/stockyard-api';
import type { Bench, Contestant } from '../harness/bench';
import { inFlight } from '../harness/parallel';
import { startApiProcess } from '../harness/platform-process';
import { startBenchServers } from '../harness/servers';
import { addStock, someOrder } from './orders.bench';

const IN_FLIGHT = 16;

/** Takes everything. */
async function startSink(opened: AsyncDisposableStack): Promise<string> {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startApi(opened: AsyncDisposableStack, environment: TestEnvironment, more: Record<string, string>) {
  const directory = mkdtempSync(join(tmpdir(), 'stockyard-bench-'));
  opened.defer(() => rmSync(directory, { recursive: true, force: true }));
  const config = { ...environment.config, STORAGE_DIR: directory };
  const variables = { ...environment.variables, ...more, STORAGE_DIR: directory };
  const { url, stop } = await startApiProcess({ ...environment, config, variables });
  opened.defer(stop);
  const http = new HttpClient(url, IN_FLIGHT);
  opened.defer(() => http.close());
  return { http, api: new StockyardApi(http, environment.config.ADMIN_TOKEN) };
}

type Api = Awaited<ReturnType<typeof startApi>>;

export const TRACES_BENCH: Bench = {
  name: 'traces',
  about: `an api that records every trace against one that has tracing off; ${IN_FLIGHT} requests under way.`,
  async *compare() {
    await using opened = new AsyncDisposableStack();
    const servers = await startBenchServers({ durable: false });
    opened.defer(() => servers.close());
    const { environment } = servers;
    const endpoint = await startSink(opened);
    const on = await startApi(opened, environment, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    const off = await startApi(opened, environment, {});
    const organization = await off.api.createOrganization(`bench-${newId().slice(-12)}`, 'Bench');
    await addStock(environment, organization.id, null);
    const reads = ({ http }: Api) =>
      http.send({ method: 'GET', path: '/v1/products?limit=1', token: organization.key });
    const orders = ({ api }: Api) => api.perform(organization.key, someOrder(), newId());
    const contestant = (name: string, work: () => Promise<unknown>): Contestant => {
      return { name, run: (operations) => inFlight(IN_FLIGHT, operations, work) };
    };
    for (const [name, work] of Object.entries({ read: reads, order: orders })) {
      const [subject, reference] = [contestant('on', () => work(on)), contestant('off', () => work(off))];
      yield { name, subject, reference };
    }
  },
};
