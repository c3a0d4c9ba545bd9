import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';
import { ManualClock, newId, StockyardError } from '#libs/kernel';
import { RowTally, TenantContextHolder } from '#libs/tenancy';
import { ClsService } from 'nestjs-cls';
import { UsageMeter } from './usage-meter';
import type { UsageBatch } from './usage-tally';
import type { UsageRepository } from './usage.repository';

const HOUR_MS = 3_600_000;

function metered(fail: (organizationId: string) => Error | undefined = () => undefined) {
  const tenant = new TenantContextHolder(new ClsService(new AsyncLocalStorage()));
  const rows = new RowTally();
  const written: [organizationId: string, metric: string, hour: number, value: number][] = [];
  const attempts: string[] = [];
  const repository = {
    apply({ increments }: UsageBatch): Promise<void> {
      const { organizationId, actor } = tenant.current();
      expect(actor.type).toBe('operator');
      attempts.push(organizationId);
      const error = fail(organizationId);
      if (error) return Promise.reject(error);
      for (const { metric, periodStart, value } of increments) {
        written.push([organizationId, metric, periodStart.getTime() / HOUR_MS, value]);
      }
      return Promise.resolve();
    },
  } as UsageRepository;
  const clock = new ManualClock(10 * HOUR_MS);
  const meter = new UsageMeter(repository, tenant, rows, clock, { USAGE_FLUSH_MS: 60_000 });
  return { meter, rows, written, attempts, clock };
}

const refusal = (code: string, category: 'unavailable' | 'not_found') =>
  new StockyardError({ code, category, message: code });

describe('the usage meter', () => {
  beforeAll(() => Logger.overrideLogger(false));

  afterAll(() => Logger.overrideLogger(true));

  it('writes sums by tenant, metric and hour, once', async () => {
    const { meter, written, clock } = metered();
    meter.count('a', 'api_calls');
    meter.count('a', 'api_calls', 2);
    meter.count('a', 'job_milliseconds', 40);
    meter.count('b', 'api_calls');
    clock.advance(HOUR_MS);
    meter.count('a', 'api_calls');
    await meter.flush();
    await meter.flush();
    expect(written.sort()).toEqual([
      ['a', 'api_calls', 10, 3],
      ['a', 'api_calls', 11, 1],
      ['a', 'job_milliseconds', 10, 40],
      ['b', 'api_calls', 10, 1],
    ]);
  });

  it('keeps what a failed flush could not write, in its hour, and writes what was counted meanwhile after it', async () => {
    let broken = true;
    const { meter, written, clock } = metered(() => (broken ? new Error('no') : undefined));
    meter.count('a', 'api_calls', 5);
    await meter.flush();
    meter.count('a', 'api_calls', 2);
    clock.advance(HOUR_MS);
    broken = false;
    meter.count('a', 'api_calls');
    await meter.flush();
    expect(written).toEqual([
      ['a', 'api_calls', 10, 5],
      ['a', 'api_calls', 10, 2],
      ['a', 'api_calls', 11, 1],
    ]);
  });

  it('writes the others when one tenant fails', async () => {
    const { meter, written } = metered((id) => (id === 'b' ? new Error('no') : undefined));
    for (const id of ['a', 'b', 'c']) meter.count(id, 'api_calls');
    await meter.flush();
    expect(written.map(([id]) => id).sort()).toEqual(['a', 'c']);
  });

  it('does not try every tenant against a database that is away', async () => {
    const { meter, attempts } = metered(() => refusal('database_unavailable', 'unavailable'));
    for (let i = 0; i < 100; i += 1) meter.count(newId(), 'api_calls');
    await meter.flush();
    expect(attempts.length).toBeLessThanOrEqual(4);
    await meter.flush();
    expect(attempts.length).toBeLessThanOrEqual(8);
  });

  it('lets go of an organization that is gone', async () => {
    const { meter, attempts } = metered(() => refusal('not_found', 'not_found'));
    meter.count('a', 'api_calls');
    await meter.flush();
    await meter.flush();
    expect(attempts).toEqual(['a']);
  });

  it('charges time while it passes, not only when it is over', async () => {
    const { meter, written } = metered();
    const stop = meter.job('a', 'bulk.import');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await meter.flush();
    expect(written).toEqual([['a', 'job_milliseconds', 10, expect.any(Number) as number]]);
    stop(false);
    stop(false);
    await meter.flush();
    expect(written.length).toBeLessThanOrEqual(2);
  });

  it('goes on writing while the process drains, and no longer', async () => {
    jest.useFakeTimers();
    try {
      const { meter, written } = metered();
      meter.onModuleInit();
      await meter.beforeApplicationShutdown();
      meter.count('a', 'api_calls'); // a request that is let in, or ends, meanwhile
      await jest.advanceTimersByTimeAsync(60_000);
      expect(written).toEqual([['a', 'api_calls', 10, 1]]);
      await meter.onApplicationShutdown();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('collects the rows that the gateway counted', async () => {
    const { meter, rows, written } = metered();
    const context = {
      organizationId: 'a',
      actor: { type: 'user', id: null },
      permissions: new Set<string>(),
      requestId: 'r',
    } as const;
    rows.count(context, [{ command: 'UPDATE', rowCount: 3, rows: [{}, {}] }]);
    await meter.flush();
    await meter.flush();
    expect(written).toEqual([
      ['a', 'rows_read', 10, 2],
      ['a', 'rows_written', 10, 3],
    ]);
  });

  it.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('ignores the amount %p', async (amount) => {
    const { meter, written } = metered();
    meter.count('a', 'api_calls', amount);
    await meter.flush();
    expect(written).toEqual([]);
  });
});
