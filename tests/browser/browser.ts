import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { type QuietNetwork, quietNetwork } from './quiet-network.ts';

export const screens = {
  desktop: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
} as const;

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const patience = 45_000;

export interface TestBrowser {
  open(screen: keyof typeof screens): Promise<OpenPage>;
  close(): Promise<void>;
}

/** A page that remembers everything that must never happen in it. */
export interface OpenPage {
  page: Page;
  context: BrowserContext;
  /** Fails on CSP violations, dialogs, uncaught errors, and on calls to `window.pwned`, which hostile text tries. */
  expectHarmless(): Promise<void>;
  /** Fails on serious and critical violations of WCAG as axe sees them, in the dark and in the light scheme. */
  expectAccessible(where: string): Promise<void>;
}

/** Chromium, seeing nothing but the server at `port`. */
export async function startBrowser(port: number): Promise<TestBrowser> {
  const network: QuietNetwork = await quietNetwork('/usr/bin/chromium', port);
  const browser: Browser = await chromium.launch({ executablePath: network.executablePath, args: flags });
  return {
    open: (screen) => openPage(browser, screen),
    async close() {
      await browser.close();
      await network.stop();
    },
  };
}

async function openPage(browser: Browser, screen: keyof typeof screens): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: screens[screen],
    hasTouch: screen === 'phone',
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(patience);
  const misdeeds: string[] = [];
  await context.exposeBinding('reportMisdeed', (_source, what: string) => void misdeeds.push(what));
  await context.addInitScript(() => {
    const report = (what: string) => (window as unknown as { reportMisdeed(what: string): void }).reportMisdeed(what);
    document.addEventListener('securitypolicyviolation', (event) =>
      report(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    );
    Object.assign(window, { pwned: () => report('hostile text ran') });
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => misdeeds.push(`uncaught: ${error.message}`));
  page.on('dialog', (dialog) => {
    misdeeds.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return {
    page,
    context,
    async expectHarmless() {
      // One round trip through the page, so that what it has reported until now is here.
      await page.evaluate(() => document.title);
      expect(misdeeds).toEqual([]);
    },
    async expectAccessible(where) {
      for (const scheme of ['dark', 'light'] as const) {
        await page.evaluate((name) => {
          document.documentElement.dataset['theme'] = name;
        }, scheme);
        expect({ where, scheme, violations: await violationsOf(page, scheme) }).toEqual({
          where,
          scheme,
          violations: [],
        });
      }
      await page.evaluate(() => {
        document.documentElement.dataset['theme'] = 'dark';
      });
    },
  };
}

interface Axe {
  run(
    document: Document,
    options: object,
  ): Promise<{
    violations: { id: string; impact: string | null; nodes: { target: unknown; failureSummary?: string }[] }[];
  }>;
}

/** All rules in the dark; in the light scheme, where only colours are others, those about colours. */
async function violationsOf(page: Page, scheme: 'dark' | 'light'): Promise<string[]> {
  await page.evaluate(axeSource);
  const only =
    scheme === 'light' ? { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } } : {};
  return page.evaluate(async (options) => {
    const { axe } = window as unknown as { axe: Axe };
    const { violations } = await axe.run(document, { resultTypes: ['violations'], ...options });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary ?? ''}`).join(' | ')}`,
      );
  }, only);
}
