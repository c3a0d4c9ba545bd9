import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';
import { ManualClock, newId, StockyardError } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { ClsService } from 'nestjs-cls';
import { UsageMeter } from './usage-meter';
import type { UsageIncrement, UsageRepository } from './usage.repository';

const HOUR_MS = 3_600_000;

function metered(fail: (organizationId: string) => Error | undefined = () => undefined) {
  const tenant = new TenantContextHolder(new ClsService(new AsyncLocalStorage()));
  const written: [organizationId: string, metric: string, hour: number, value: number][] = [];
  const attempts: string[] = [];
  const repository = {
    add(increments: readonly UsageIncrement[]): Promise<void> {
      const { organizationId, actor } = tenant.current();
      expect(actor.type).toBe('system');
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
  return { meter: new UsageMeter(repository, tenant, clock, { USAGE_FLUSH_MS: 60_000 }), written, attempts, clock };
}

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

  it('keeps what a failed flush could not write, in its hour, and what was counted meanwhile', async () => {
    let broken = true;
    const { meter, written, clock } = metered(() => (broken ? new Error('no') : undefined));
    meter.count('a', 'api_calls', 5);
    const flushing = meter.flush();
    meter.count('a', 'api_calls', 2);
    await flushing;
    clock.advance(HOUR_MS);
    broken = false;
    meter.count('a', 'api_calls');
    await meter.flush();
    expect(written).toEqual([
      ['a', 'api_calls', 10, 7],
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
    const away = new StockyardError({ code: 'database_unavailable', category: 'unavailable', message: 'away' });
    const { meter, attempts } = metered(() => away);
    for (let i = 0; i < 100; i += 1) meter.count(newId(), 'api_calls');
    await meter.flush();
    expect(attempts.length).toBeLessThanOrEqual(4);
    await meter.flush();
    expect(attempts.length).toBeLessThanOrEqual(8);
  });

  it.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('ignores the amount %p', async (amount) => {
    const { meter, written } = metered();
    meter.count('a', 'api_calls', amount);
    await meter.flush();
    expect(written).toEqual([]);
  });
});
