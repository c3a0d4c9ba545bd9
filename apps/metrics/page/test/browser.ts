/** One headless Chromium for a spec file, and tabs that remember what went wrong in them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { findProgram, requirePrograms } from '#libs/testing';

const CHROMIUM = { name: 'chromium', package: 'chromium' } as const;
const PICTURES = join(process.cwd(), 'test-results/dashboard');

export const DESKTOP = { width: 1440, height: 900 } as const;
export const PHONE = { width: 360, height: 740 } as const;
export type Scheme = 'light' | 'dark';

/** Throws with the line that installs Chromium where there is none. */
export async function startBrowser(): Promise<Browser> {
  requirePrograms([CHROMIUM]);
  mkdirSync(PICTURES, { recursive: true });
  const { launch } = await import('puppeteer-core'); // it is made of ES modules alone
  return launch({
    executablePath: findProgram(CHROMIUM)!,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
}

export interface TabOptions {
  readonly scheme?: Scheme;
  readonly size?: { readonly width: number; readonly height: number };
}

/** The one tab of a browser; a new one for each test would cost more than the test. */
export class Tab {
  /** Violations of the policy, errors of scripts and on the console. */
  readonly trouble: string[] = [];

  private constructor(readonly page: Page) {}

  static async open(browser: Browser): Promise<Tab> {
    const page = await browser.newPage();
    const tab = new Tab(page);
    page.setDefaultTimeout(8_000);
    page.on('pageerror', (error) => tab.trouble.push(String(error)));
    page.on('console', (message) => {
      // The browser itself notes every answer of 400 and more, and every connection that was cut.
      const noted = /^Failed to load resource|net::ERR_/.test(message.text());
      if (['error', 'warn'].includes(message.type()) && !noted) tab.trouble.push(message.text());
    });
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (response.status() >= 400 && !pathname.startsWith('/v1/'))
        tab.trouble.push(`${response.status()} ${pathname}`);
    });
    await page.exposeFunction('noteViolation', (what: string) => void tab.trouble.push(what));
    await page.evaluateOnNewDocument(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const { noteViolation } = window as unknown as { noteViolation: (what: string) => void };
        noteViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
      });
    });
    return tab;
  }

  /** Nothing of what was before is left. */
  async reset(origin: string, { scheme = 'light', size = DESKTOP }: TabOptions = {}): Promise<void> {
    const { page } = this;
    await page.setOfflineMode(false);
    await page.goto(new URL('blank', origin).href);
    await page.evaluate(() => {
      sessionStorage.clear();
      localStorage.clear();
    });
    await page.setViewport(size);
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    this.trouble.length = 0;
  }

  async signIn(url: string, credential: string): Promise<void> {
    await this.page.goto(url);
    await this.page.waitForSelector('#credential:focus');
    await this.page.keyboard.sendCharacter(credential);
    await this.page.keyboard.press('Enter');
  }

  /** Waits for a text anywhere on the page. */
  async sees(text: string): Promise<void> {
    await this.page.waitForFunction((wanted) => document.body.innerText.includes(wanted), {}, text);
  }

  async live(): Promise<void> {
    await this.page.waitForSelector('.connection.live');
    await this.page.waitForFunction(() => document.querySelector('main.busy, .loading') === null);
  }

  async go(hash: string): Promise<void> {
    await this.page.evaluate((to) => void (location.hash = to), hash);
    await this.page.waitForFunction((to) => location.hash === to, {}, hash);
    await this.page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    await this.live();
  }

  text(selector: string): Promise<string> {
    return this.page.$eval(selector, (element) => (element as HTMLElement).innerText);
  }

  async picture(name: string): Promise<void> {
    await this.page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true, optimizeForSpeed: true });
  }
}
