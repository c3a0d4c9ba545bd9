import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { checkPorts } from './ports';

describe('the ports of the applications', () => {
  let server: Server;
  let used: number;

  beforeAll(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    used = (server.address() as { port: number }).port;
  });
  afterAll(() => new Promise((done) => server.close(done)));

  it('are any free ones for 0', async () => {
    const ports = await checkPorts({ api: 0, worker: 0, metrics: 0 });
    expect(new Set([ports.api, ports.worker, ports.metrics, 0]).size).toBe(4);
  });

  it('give a one-line error that names the port in use and the variable to set', async () => {
    const message = `Port ${used}, of the worker process, is in use: set WORKER_PORT to another one.`;
    await expect(checkPorts({ api: 0, worker: used, metrics: 0 })).rejects.toThrow(message);
  });

  it('are refused when two processes are given the same', async () => {
    const { api } = await checkPorts({ api: 0, worker: 0, metrics: 0 });
    const message = `Port ${api} is given to api and metrics: set METRICS_PORT.`;
    await expect(checkPorts({ api, worker: 0, metrics: api })).rejects.toThrow(message);
  });
});
