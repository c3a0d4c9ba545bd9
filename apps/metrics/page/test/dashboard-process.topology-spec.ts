/**
 * The dashboard as it is deployed: the metrics process, its page in a headless Chromium, and an api that tenants use meanwhile.
 * Every number of a view that the process answers is on the page, and it changes by itself. Pictures: test-results/dashboard.
 */
import type { Browser } from 'puppeteer-core';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import {
  call,
  createTenant,
  type RunningApi,
  startApi,
  stockedProduct,
  type Tenant,
} from '../../../api/test/support/api-fixture';
import { ObservedProcess } from '../../../api/test/support/observed-process';
import { startBrowser, Tab } from './browser';
import { numbersIn, says, shownNumbers } from './numbers';
import type { PlatformView, TenantView } from '../../src/dashboard/dashboard.shape';
import { DashboardReader } from '../../test/support/dashboard-reader';

const READS = 12;
const REFUSED = 5;
/** Requests that prepare it included: a product and its stock. */
const LIMIT = READS + 2;

describe('the page of the dashboard', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let metrics: ObservedProcess;
  let browser: Browser;
  let tab: Tab;
  let operator: DashboardReader;
  let tenant: Tenant;
  let other: Tenant;

  beforeAll(async () => {
    env = await createTestEnvironment({
      COST_MODEL: JSON.stringify({ currency: 'EUR', compute: { per_month: 310 }, visible_to_tenants: true }),
      METRICS_COLLECT_MS: '200',
      USAGE_FLUSH_MS: '100',
    });
    api = await startApi(env);
    [tenant, other] = [
      await createTenant(api, env, 'starter', { requests_per_minute: LIMIT }),
      await createTenant(api, env),
    ];
    await stockedProduct(api, tenant, 10);
    for (let request = 0; request < READS + REFUSED; request += 1) await tenant.call(api, 'GET', '/v1/products');
    await other.call(api, 'GET', '/v1/orders');
    // Costs are kept for a minute: all that is counted is written before anybody asks.
    await waitFor(
      async () =>
        (await env.query<{ calls: string }>("select sum(calls) as calls from tenant_days where activity = ''"))[0]
          ?.calls === String(LIMIT + 1),
      { what: 'what was done to be written' },
    );
    [metrics, browser] = await Promise.all([ObservedProcess.start('metrics', env.variables), startBrowser()]);
    operator = new DashboardReader(metrics.url, `Bearer ${env.config.ADMIN_TOKEN}`);
    tab = await Tab.open(browser);
    await seen<PlatformView>('platform', ({ totals }) => totals.calls === LIMIT + 1);
    await seen<TenantView>(`tenants/${tenant.id}`, ({ totals }) => totals.refusals === REFUSED);
  }, 90_000);

  afterAll(async () => {
    await browser.close();
    await metrics.stop();
    await api.stop();
    await env.dispose();
  });

  afterEach(() => expect(tab.trouble).toEqual([]));

  const seen = <T>(path: string, holds: (view: T) => boolean): Promise<T> =>
    waitFor(
      async () => {
        const { status, body } = await operator.get(`/v1/dashboard/${path}`);
        return status === 200 && holds(body as T) ? (body as T) : undefined;
      },
      { what: `${path} to show it`, timeoutMs: 20_000 },
    );

  async function signedIn(credential: string, hash: string): Promise<void> {
    await tab.reset(metrics.url);
    await tab.signIn(`${metrics.url}/${hash}`, credential);
    await tab.live();
  }
  const keyOf = ({ headers }: Tenant): string => headers.authorization!.slice('Bearer '.length);

  /** Numbers of the parts of a view that the page does not show; waits, as the page follows what changes. */
  const missing = (view: () => Promise<unknown>) =>
    waitFor(
      async () => {
        const expected = numbersIn(await view());
        const shown = await shownNumbers(tab.page);
        const values = new Set(shown.map(({ value }) => value));
        expect(shown.filter((one) => !says(one))).toEqual([]);
        return expected.length > 10 && expected.every(({ value }) => values.has(value));
      },
      { what: 'every number to be on the page', timeoutMs: 20_000 },
    );

  const showTables = async (): Promise<void> => {
    const toggle = await tab.page.$('button[aria-pressed]');
    await toggle?.click();
    if (toggle) await tab.page.waitForSelector('button[aria-pressed="true"]');
  };

  it('shows operators the platform, as the API has it', async () => {
    await signedIn(env.config.ADMIN_TOKEN, '#/');
    await tab.picture('real-platform-light-desktop');
    await showTables();
    await missing(async () => {
      const { totals, series, organizations, queues, shards, budgets } = await seen<PlatformView>(
        'platform',
        () => true,
      );
      return { totals, series, organizations, queues, shards, budgets };
    });
  });

  it('shows operators every tenant, one of them and one of its routes', async () => {
    await signedIn(env.config.ADMIN_TOKEN, '#/tenants');
    await missing(async () => (await seen<{ data: unknown }>('tenants', () => true)).data);
    await tab.picture('real-tenants-light-desktop');
    await tab.go(`#/tenants/${tenant.id}`);
    await tab.picture('real-tenant-light-desktop');
    await showTables();
    const one = (): Promise<TenantView> => seen<TenantView>(`tenants/${tenant.id}`, () => true);
    await missing(async () => {
      const { totals, series, routes, budgets, cost } = await one();
      return { totals, series, routes, budgets, cost };
    });
    const { totals, cost } = await one();
    expect(totals).toMatchObject({ calls: LIMIT, refusals: REFUSED, errors: 0 });
    expect(cost!.total_micros).toBeGreaterThan(0);
    const activity = 'GET /v1/products';
    await tab.go(`#/tenants/${tenant.id}/${encodeURIComponent(activity)}`);
    await missing(async () => {
      const path = `tenants/${tenant.id}/activity?activity=${encodeURIComponent(activity)}`;
      const { totals: ofRoute, series } = await seen<TenantView>(path, () => true);
      expect(ofRoute.calls).toBe(READS);
      return { ofRoute, series };
    });
  });

  it('shows a tenant itself as it happens, and nothing of another', async () => {
    await signedIn(keyOf(other), '');
    expect(await tab.page.evaluate(() => location.hash)).toBe(`#/tenants/${other.id}`);
    for (let request = 0; request < 7; request += 1) await other.call(api, 'GET', '/v1/orders');
    await tab.page.waitForFunction(() =>
      [...document.querySelectorAll<HTMLDataElement>('.tile data')].some(({ value }) => value === '8'),
    );
    await tab.page.evaluate((id) => void (location.hash = `#/tenants/${id}`), tenant.id);
    await tab.sees('There is nothing here');
  });

  it('goes back to signing in when the key is taken back', async () => {
    const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
    const { body: made } = await call(api, 'POST', `/v1/admin/organizations/${other.id}/api_keys`, {
      headers,
      body: { name: 'leaves', role: 'owner' },
    });
    await signedIn((made as { key: string }).key, '');
    await other.call(api, 'DELETE', `/v1/api_keys/${(made as { id: string }).id}`);
    await tab.page.waitForSelector('#credential', { timeout: 20_000 });
    expect(await tab.page.evaluate(() => sessionStorage.length)).toBe(0);
  });
});
