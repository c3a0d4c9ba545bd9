/**
 * The built page in a headless Chromium, under its policy, against fixtures that satisfy the shapes of the API. What it
 * looks like goes to test-results/dashboard as pictures.
 */
import type { Browser } from 'puppeteer-core';
import * as shapes from '../../src/dashboard/dashboard.shape';
import { DESKTOP, PHONE, type Scheme, startBrowser, Tab, type TabOptions } from './browser';
import { FixtureServer, OPERATOR_TOKEN, POWERLESS_KEY, TENANT_KEY } from './fixture-server';
import * as fixtures from './fixtures';
import { contrasts, unreached, visiblyFocused } from './in-page';
import { numbersIn, otherDigits, says, shownNumbers, textsIn } from './numbers';

const { ACME, HOSTILE, ROUTE } = fixtures;
const ACTIVITY = `#/tenants/${ACME}/${encodeURIComponent(ROUTE)}`;

let browser: Browser;
let server: FixtureServer;
let tab: Tab;

beforeAll(async () => {
  [browser, server] = await Promise.all([startBrowser(), FixtureServer.start()]);
  tab = await Tab.open(browser);
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});
beforeEach(() => server.reset());
afterEach(() => expect(tab.trouble).toEqual([])); // of the policy, of scripts, on the console

const open = (options?: TabOptions): Promise<void> => tab.reset(server.url, options);

async function signedIn(credential = OPERATOR_TOKEN, { hash = '', ...options }: TabOptions & { hash?: string } = {}) {
  await open(options);
  await tab.signIn(server.url + hash, credential);
  await tab.live();
}

describe('fixtures', () => {
  it.each([
    ['platform', shapes.PLATFORM, fixtures.platform('24h')],
    ['platform, in part', shapes.PLATFORM, fixtures.partial()],
    ['platform, idle', shapes.PLATFORM, fixtures.idle()],
    ['tenants', shapes.TENANTS, fixtures.tenants()],
    ['tenant', shapes.TENANT, fixtures.tenant()],
    ['tenant, quiet', shapes.TENANT, fixtures.quietTenant()],
    ['activity', shapes.ACTIVITY, fixtures.activity()],
    ['operator', shapes.SESSION, fixtures.OPERATOR],
    ['tenant, session', shapes.SESSION, fixtures.TENANT],
  ])('are what the API may answer: %s', (_, { validate }, view) => {
    expect(validate(view).issues).toBeUndefined();
  });
});

describe('signing in', () => {
  it('asks for a credential, keeps it in the tab, and forgets it', async () => {
    await signedIn();
    const kept = await tab.page.evaluate(() => ({
      session: Object.entries(sessionStorage),
      local: Object.entries(localStorage),
    }));
    expect(kept.session).toEqual([['stockyard.credential', OPERATOR_TOKEN]]);
    expect(JSON.stringify(kept.local)).not.toContain(OPERATOR_TOKEN);
    expect(server.asked.join()).not.toContain(OPERATOR_TOKEN);
    await tab.page.reload();
    await tab.live();
    await tab.page.locator('::-p-text(Sign out)').click();
    await tab.page.waitForSelector('#credential');
    expect(await tab.page.evaluate(() => sessionStorage.length)).toBe(0);
    await tab.page.reload();
    await tab.page.waitForSelector('#credential');
  });

  it('says why a credential does not count, and lets one try again', async () => {
    await open();
    await tab.signIn(server.url, 'wrong');
    await tab.sees('The credential is wrong, has expired or was taken back.');
    await tab.picture('sign-in-refused-light-desktop');
    await tab.page.type('#credential', OPERATOR_TOKEN);
    await tab.page.keyboard.press('Enter');
    await tab.live();
  });

  it('does not send what can be no credential', async () => {
    await open();
    await tab.signIn(server.url, 'two words');
    await tab.sees('one word, without blanks');
    expect(server.asked).toEqual([]);
  });

  it('names the permission that a credential lacks', async () => {
    await open();
    await tab.signIn(server.url, POWERLESS_KEY);
    await tab.sees('The permission usage:read is missing');
    await tab.picture('forbidden-light-desktop');
    await tab.page.locator('::-p-text(Sign in with another credential)').click();
    await tab.page.waitForSelector('#credential');
  });

  it('goes back to it when the stream ends because the credential no longer counts', async () => {
    await signedIn();
    server.takenBack();
    server.send('end', { reason: 'api_key_revoked', message: 'The key was taken back.' });
    await tab.sees('The key was taken back.');
    expect(await tab.page.$('#credential')).not.toBeNull();
    expect(await tab.page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  it('stays when the stream ends because the tenant is gone', async () => {
    await signedIn(OPERATOR_TOKEN, { hash: `#/tenants/${ACME}` });
    server.gone();
    server.send('end', { reason: 'not_found', message: 'There is nothing at this address.' });
    await tab.sees('There is nothing here');
    expect(await tab.page.evaluate(() => sessionStorage.length)).toBe(1);
  });

  it('shows a tenant that is suspended what it may look at and not follow', async () => {
    server.suspended = true;
    await signedIn(TENANT_KEY);
    await tab.sees('54.3 k');
    expect(await tab.text('.connection [aria-live]')).toBe('Every 10 s');
  });

  it('shows a tenant itself and nothing else', async () => {
    await signedIn(TENANT_KEY);
    expect(await tab.page.evaluate(() => location.hash)).toBe(`#/tenants/${ACME}`);
    expect(await tab.text('.crumbs')).toBe('Acme Ltd');
    await tab.page.keyboard.press('/'); // its routes
    expect(await tab.page.evaluate(() => (document.activeElement as HTMLInputElement).placeholder)).toContain('route');
    await tab.page.evaluate(() => void (location.hash = '#/tenants/somebody-else'));
    await tab.sees('There is nothing here');
    await tab.page.evaluate(() => void (location.hash = '#/tenants'));
    await tab.sees('There is nothing here');
  });
});

describe('numbers', () => {
  const perSecond = (view: { totals: shapes.PlatformView['totals'] }): number[] => {
    const { calls, errors, refusals, bytes_out: sent } = view.totals;
    return [calls / 3_600, sent / 3_600, errors / calls, refusals / (calls + refusals)];
  };
  const errorShares = fixtures.tenants().data.map(({ errors, calls }) => errors / calls);
  const LABELS = [
    'p50',
    'p95',
    'p99',
    '· p99',
    'Latency, p95',
    'Burn, 1 h',
    'Burn, 6 h',
    'Of 30 days',
    'Of 30 days, by tier',
  ];
  const ADDED = ['Budgets of 30 days', 'Releases of the last 90 days', 'would add 2', 'would add 7'];

  it.each([
    ['platform', '#/', fixtures.platform(), perSecond(fixtures.platform())],
    ['tenants', '#/tenants', fixtures.tenants(), errorShares],
    ['tenant', `#/tenants/${ACME}`, fixtures.tenant(), perSecond(fixtures.tenant())],
    ['activity', ACTIVITY, fixtures.activity(), perSecond(fixtures.activity())],
  ])('of the view are all on the page, and those on the page in the view: %s', async (_, hash, view, derived) => {
    await signedIn(OPERATOR_TOKEN, { hash });
    const toggle = await tab.page.$('button[aria-pressed]');
    await toggle?.click();
    if (toggle) await tab.page.waitForSelector('button[aria-pressed="true"]');
    const shown = await shownNumbers(tab.page);
    const values = new Set(shown.map(({ value }) => value));
    const expected = numbersIn(view);
    expect(expected.length).toBeGreaterThan(100);
    expect(expected.filter(({ value }) => !values.has(value))).toEqual([]);
    const known = new Set([...expected.map(({ value }) => value), ...derived]);
    expect(shown.filter(({ value }) => !known.has(value))).toEqual([]);
    expect(shown.filter((one) => !says(one))).toEqual([]);
    expect(shown.filter(({ title }) => !/^€?-?[\d,]+(\.\d+)?( [\w/]+)?$/.test(title))).toEqual([]);
    const words = [...textsIn(view), ...LABELS, ...ADDED];
    const others = await otherDigits(tab.page);
    expect(others.filter((text) => !words.some((word) => word.includes(text) || text === word))).toEqual([]);
  });

  it('that are null are unknown, never 0', async () => {
    server.platform = fixtures.partial;
    server.tenant = fixtures.quietTenant;
    await signedIn();
    expect(await tab.text('.tile:last-child .main')).toBe('unknown');
    await tab.sees('unknown The queues did not answer.');
    await tab.sees('Shard shard-2: connection refused');
    await tab.picture('platform-in-part-light-desktop');
    await tab.go(`#/tenants/${ACME}`);
    const facts = await tab.page.$$eval('.facts dd', (all) => all.map((one) => one.innerText));
    expect(facts).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
    const tiles = await tab.page.$$eval('.tile', (all) =>
      all.map((one) => (one as HTMLElement).innerText.replaceAll('\n', ' ')),
    );
    expect(tiles[0]).toMatch(/^Requests 0/);
    expect(tiles[3]).toMatch(/^Latency, p95 unknown p50 unknown\s+p99 unknown$/);
    expect(tiles.at(-1)).toBe('Cost unknown this month so far');
  });

  it('are those of the tenant, whatever it calls itself', async () => {
    await signedIn(OPERATOR_TOKEN, { hash: '#/tenants' });
    const name = await tab.page.$$eval('a.name', (all) => all[1]!.textContent);
    expect(name).toBe(HOSTILE);
    expect(await tab.page.$$eval('main img, main script', (all) => all.length)).toBe(0);
    expect(await tab.page.title()).toBe('Tenants · Stockyard');
  });

  it('under the pointer are those of one time, in every chart at once', async () => {
    await signedIn();
    const box = (await (await tab.page.$('stock-chart'))!.boundingBox())!;
    await tab.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await tab.page.waitForFunction(() => document.querySelector('.legend .when')?.textContent !== '');
    const times = await tab.page.$$eval('.legend .when', (all) => all.map((one) => one.textContent));
    expect(times).toHaveLength(6);
    expect(new Set(times).size).toBe(1);
    const [time] = times;
    const point = fixtures
      .platform()
      .series.find(({ period_start: at }) => at.slice(0, 16) === time!.replace(' ', 'T'))!;
    expect(point.p95_ms).not.toBeNull();
    const latency = await tab.page.$$eval('.legend', (all) => (all[2] as HTMLElement).innerText);
    expect(latency).toContain(`p95 ${Number(point.p95_ms!.toPrecision(3))} ms`);
    await tab.picture('platform-pointer-light-desktop');
  });

  it('are told by charts in words too, with the releases', async () => {
    await signedIn();
    const told = await tab.page.$$eval('stock-chart', (all) => all.map((one) => one.ariaLabel));
    expect(told).toHaveLength(6);
    expect(told[0]).toMatch(/^Load\. Requests a second\. let in: latest \d+\/s, highest \d+\/s; refused: /);
    const drawn = await tab.page.$$eval('canvas', (all) =>
      all.map((one) => new Set(one.getContext('2d')!.getImageData(0, 0, one.width, one.height).data).size),
    );
    expect(Math.min(...drawn)).toBeGreaterThan(5); // colours: each has drawn something
  });
});

describe('live', () => {
  it('shows what a stream sends, cut anywhere', async () => {
    await signedIn();
    const view = fixtures.platform();
    server.send('view', { ...view, totals: { ...view.totals, calls: 2_345_678 } });
    await tab.sees('2.35 M');
  });

  it('keeps the numbers when the stream drops, says how old they are, and connects again', async () => {
    await signedIn();
    server.unavailable();
    server.drop();
    await tab.sees('Reconnecting since');
    await tab.sees('The numbers are');
    await tab.sees('1.23 M');
    expect(await tab.text('.connection [aria-live]')).toBe('Reconnecting');
    await tab.picture('platform-reconnecting-light-desktop');
    const view = fixtures.platform();
    server.platform = () => ({ ...view, totals: { ...view.totals, calls: 3_456_789 } });
    server.outage = undefined;
    await tab.page.locator('::-p-text(Try now)').click();
    await tab.sees('3.46 M');
    await tab.live();
    expect(await tab.page.$('.banner.strip')).toBeNull();
  });

  it('connects again by itself after a drop', async () => {
    await signedIn();
    server.drop();
    await tab.page.waitForSelector('.connection.reconnecting');
    await tab.live();
    expect(server.asked.filter((path) => path.includes('/events')).length).toBe(2);
  });

  it('says that nothing answers, and goes on when something does', async () => {
    server.unavailable();
    await open();
    await tab.signIn(server.url, OPERATOR_TOKEN);
    await tab.sees('Not available at the moment');
    await tab.sees('Next try in');
    await tab.picture('unavailable-light-desktop');
    expect(await tab.page.$('::-p-text(Sign in with another credential)')).not.toBeNull();
    server.outage = undefined;
    await tab.live();
  });

  it('says that the device is offline', async () => {
    await signedIn();
    await tab.page.setOfflineMode(true);
    server.drop();
    await tab.sees('This device is offline.');
    expect(await tab.text('.connection [aria-live]')).toBe('Offline');
    await tab.page.setOfflineMode(false);
    await tab.live();
  });

  it('asks for nothing and draws nothing while nobody looks', async () => {
    await signedIn();
    const look = (hidden: boolean) =>
      tab.page.evaluate((is) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => is });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await look(true);
    const before = server.asked.length;
    const deadline = Date.now() + 5_000;
    while (server.streams.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.streams.size).toBe(0);
    expect(server.asked.length).toBe(before);
    const view = fixtures.platform();
    server.platform = () => ({ ...view, totals: { ...view.totals, calls: 4_567_890 } });
    await look(false);
    await tab.sees('4.57 M');
  });
});

describe('finding the way', () => {
  it('goes from the platform to a tenant to a route, and back up with Esc', async () => {
    await signedIn();
    await tab.page.keyboard.press('/');
    await tab.page.waitForSelector('[data-search]:focus');
    await tab.page.keyboard.type('acme ltd');
    await tab.page.waitForFunction(() => location.hash.includes('search=acme'));
    await tab.sees('13 tenants');
    await tab.page.keyboard.press('Escape'); // empties it
    await tab.sees('63 tenants');
    await tab.page.locator('a.name::-p-text(Acme Ltd)').click();
    await tab.sees('used up');
    expect(await tab.page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
    await tab.page.locator(`a.name::-p-text(${ROUTE})`).click();
    await tab.page.waitForFunction((route) => document.querySelector('h1')?.textContent === route, {}, ROUTE);
    await tab.live();
    expect(await tab.text('.crumbs')).toMatch(/Platform\s+Tenants\s+Acme Ltd\s+GET \/v1\/orders\/\{id\}/);
    for (const title of ['Acme Ltd', 'Tenants', 'Platform']) {
      await tab.page.keyboard.press('Escape');
      await tab.page.waitForFunction((wanted) => document.querySelector('h1')?.textContent === wanted, {}, title);
    }
  });

  it('sorts and pages by the address', async () => {
    await signedIn(OPERATOR_TOKEN, { hash: '#/tenants' });
    await tab.page.locator('.sort::-p-text(Cost)').click();
    await tab.page.waitForFunction(() => location.hash.includes('sort=cost'));
    await tab.live();
    expect(await tab.page.$eval('[aria-sort]', (one) => [one.textContent.trim(), one.ariaSort])).toEqual([
      '↓Cost',
      'descending',
    ]);
    await tab.page.locator('::-p-text(Next page)').click();
    await tab.sees('First page');
    await tab.page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 13);
    expect(server.asked.at(-1)).toMatch(/sort=cost.*cursor=cGFnZTI/);
    await tab.page.goBack();
    await tab.page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 50);
  });

  it('narrows and sorts the routes of a tenant', async () => {
    await signedIn(TENANT_KEY);
    await tab.page.keyboard.press('/');
    await tab.page.keyboard.type('post');
    const routes = () => tab.page.$$eval('a.name', (all) => all.map((one) => one.innerText));
    await tab.page.waitForFunction(() => document.querySelectorAll('a.name').length === 2);
    await tab.page.locator('.sort::-p-text(Route or job)').click();
    await tab.page.waitForSelector('[aria-sort="ascending"]');
    expect(await routes()).toEqual(['POST /v1/orders', 'POST /v1/stock/reserve']);
  });

  it('keeps the range in the address, for the arrow keys too, and carries it along', async () => {
    await signedIn();
    await tab.page.focus('.ranges input:checked');
    await tab.page.keyboard.press('ArrowRight');
    await tab.page.waitForFunction(() => location.hash === '#/?range=6h');
    await tab.page.keyboard.press('ArrowRight');
    await tab.page.waitForFunction(() => location.hash === '#/?range=24h');
    expect(await tab.page.evaluate(() => (document.activeElement as HTMLInputElement).value)).toBe('24h');
    await tab.live();
    expect(server.asked.at(-1)).toContain('range=24h');
    expect(await tab.page.$$eval('.crumbs a', (all) => all.map((one) => one.getAttribute('href')))).toEqual([
      '#/tenants?range=24h',
    ]);
  });

  it.each([
    ['platform', '#/'],
    ['tenants', '#/tenants?search=acme'],
    ['tenant', `#/tenants/${ACME}`],
    ['activity', ACTIVITY],
  ])('reaches everything with the keyboard and shows where it is: %s', async (_, hash) => {
    await signedIn(OPERATOR_TOKEN, { hash });
    const unseen: string[] = [];
    await tab.page.focus('.skip'); // the first one; beyond the last one are the buttons of the browser
    for (let step = 0; step < 200; step += 1) {
      const { name, visible, last } = await tab.page.evaluate(visiblyFocused);
      if (!visible) unseen.push(name);
      if (last) break;
      await tab.page.keyboard.press('Tab');
    }
    expect(unseen).toEqual([]);
    expect(await tab.page.evaluate(unreached)).toEqual([]);
  });

  it('skips to the content', async () => {
    await signedIn();
    await tab.page.focus('.skip');
    await tab.page.keyboard.press('Enter');
    expect(await tab.page.evaluate(() => document.activeElement?.id)).toBe('main');
  });

  it('says of an address that names nothing what to do', async () => {
    await signedIn();
    await tab.page.evaluate(() => void (location.hash = '#/nowhere'));
    await tab.sees('The address names no page of the dashboard.');
    await tab.page.locator('::-p-text(Go up)').click();
    await tab.live();
  });
});

describe('looks', () => {
  const everywhere = (['light', 'dark'] as const).flatMap((scheme) =>
    (
      [
        ['desktop', DESKTOP],
        ['phone', PHONE],
      ] as const
    ).map(([name, size]) => [scheme, name, size] as const),
  );

  it.each(everywhere)('%s on a %s: nothing sideways, everything readable', async (scheme: Scheme, name, size) => {
    await open({ scheme, size });
    const check = async (picture: string) => {
      await tab.picture(`${picture}-${scheme}-${name}`);
      expect(await tab.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(size.width);
      expect(await tab.page.evaluate(contrasts)).toEqual([]);
    };
    await tab.page.goto(server.url);
    await tab.page.waitForSelector('#credential');
    await check('sign-in');
    await tab.signIn(server.url, OPERATOR_TOKEN);
    await tab.live();
    await check('platform');
    await tab.page.click('button[aria-pressed]');
    await check('platform-table');
    await tab.page.click('button[aria-pressed]');
    await tab.go('#/tenants');
    await check('tenants');
    await tab.go('#/tenants?search=nobody');
    await tab.sees('No tenant matches “nobody”.');
    await tab.sees('Shard shard-2 did not answer; its tenants are missing.');
    await check('tenants-none');
    await tab.go(`#/tenants/${ACME}`);
    await check('tenant');
    await tab.go(`${ACTIVITY}?range=30d`);
    await check('activity');
    server.platform = fixtures.idle;
    await tab.go('#/');
    await tab.sees('No requests in this hour.');
    await check('platform-idle');
  });

  it('follows its own switch rather than the system, and remembers it', async () => {
    await signedIn();
    const background = () => tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await tab.page.select('.themes select', 'dark');
    await tab.page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, {}, light);
    const dark = await background();
    await tab.page.reload();
    await tab.live();
    expect(await background()).toBe(dark);
  });
});
