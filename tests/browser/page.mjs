// What tests of pages share: a real browser, pages that report all that goes wrong in them, and the rules of accessibility.
//
// Chromium is driven by puppeteer-core, which downloads nothing; `.ci/run` installs it and axe-core into target/browser.
// BROWSER_MODULES may name another folder, CHROMIUM another program.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const modules = process.env.BROWSER_MODULES ?? join(root, 'target/browser');
const require = createRequire(join(modules, 'package.json'));
const puppeteer = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const WIDE = { width: 1400, height: 900 };
export const NARROW = { width: 390, height: 844 };

// A browser whose every page may be a foreign one's work: nothing of it outlives `close`.
export function launch() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  // Inside of a container Chromium has no sandbox of its own; what it is shown here is ours.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions'];
  return puppeteer.launch({ executablePath, args, headless: true });
}

// Opens `url`; the page with `trouble`, a list that grows by a line for all that should not happen: messages on the console, errors,
// dialogs, requests that failed or left the page's origin, and windows that were opened.
export async function open(browser, url, { scheme = 'light', size = WIDE, reduced = true, headers } = {}) {
  const page = await browser.newPage();
  const trouble = [];
  const { origin, protocol } = new URL(url);
  const asked = [];
  page.on('console', (message) => trouble.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => trouble.push(`error: ${error.message ?? error}`));
  page.on('dialog', (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('popup', () => trouble.push('a window was opened'));
  page.on('requestfailed', (request) => {
    // Who leaves a page ends its stream.
    const reason = request.failure()?.errorText;
    if (reason !== 'net::ERR_ABORTED') trouble.push(`failed: ${request.url()}: ${reason}`);
  });
  page.on('request', (request) => {
    const to = new URL(request.url());
    const itself = to.href.split('#')[0] === new URL(url).href.split('#')[0];
    if (to.protocol === 'data:' || itself) return;
    asked.push(request.url());
    if (protocol === 'file:' || to.origin !== origin) trouble.push(`request: ${request.url()}`);
  });
  await page.setViewport(size);
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: scheme },
    { name: 'prefers-reduced-motion', value: reduced ? 'reduce' : 'no-preference' },
  ]);
  if (headers) await page.setExtraHTTPHeaders(headers);
  // What hostile text would call, if it could: a call is an error of the page. `null` where the policy stops even this.
  await page.evaluateOnNewDocument(() => {
    window.hacked = () => { throw new Error('hostile text was executed'); };
  });
  await page.goto(url, { waitUntil: 'load' });
  return { page, trouble, asked };
}

// Rules of accessibility that the page breaks, a line each. In an isolated world of its own, so that the page's policy stays as it is.
export async function violations(page) {
  const { violations: found } = await isolated(page, `${axe}; axe.run(document, { resultTypes: ['violations'] })`);
  return found.flatMap(({ id, help, nodes }) =>
    nodes.slice(0, 3).map((node) => `${id} (${help}; ${nodes.length} times): ${node.target.join(' ')}`));
}

// The value of `text`, a promise's or a plain one, evaluated beside the page's own scripts.
async function isolated(page, text) {
  const client = await page.createCDPSession();
  try {
    const { frameTree } = await client.send('Page.getFrameTree');
    const world = await client.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'tests' });
    const asked = { expression: text, contextId: world.executionContextId, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await client.send('Runtime.evaluate', asked);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  } finally {
    await client.detach();
  }
}

// What of a page the Tab key does not reach, or reaches without showing it, a line each. Known by what they say: a live page may have
// put others in their place.
export async function unreached(page) {
  await page.evaluate(() => {
    window.nameOf = (one) => `${one.tagName.toLowerCase()} ${(one.getAttribute('aria-label') ?? one.textContent).replace(/\s+/g, ' ').trim().slice(0, 40)}`;
    document.activeElement?.blur();
  });
  const wanted = await page.evaluate(() => {
    const can = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const shown = [...document.querySelectorAll(can)].filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }));
    return shown.map(window.nameOf);
  });
  const reached = new Set();
  const hidden = new Set();
  for (let presses = 0; presses < wanted.length + 5; presses += 1) {
    await page.keyboard.press('Tab');
    const [name, marked] = await page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
      return [window.nameOf(document.activeElement), (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none'];
    });
    reached.add(name);
    if (!marked && !name.startsWith('body ')) hidden.add(name);
  }
  const missed = wanted.filter((name) => !reached.has(name));
  return [...[...hidden].map((name) => `no focus is shown: ${name}`), ...missed.map((name) => `not reached: ${name}`)];
}

// Checks with names; `end` prints what failed and gives the status to end with.
export function checks() {
  let failed = 0;
  return {
    // `found` must be what is `wanted`, as JSON.
    same(name, found, wanted) {
      const [is, should] = [found, wanted].map((value) => JSON.stringify(value));
      if (is === should) return console.log(`ok ${name}`);
      failed += 1;
      console.log(`FAILED ${name}\n  found  ${is?.slice(0, 3000)}\n  wanted ${should?.slice(0, 3000)}`);
    },
    // Nothing must be in `found`.
    none(name, found) { this.same(name, found, []); },
    end() {
      if (failed > 0) console.log(`${failed} failed`);
      return failed > 0 ? 1 : 0;
    },
  };
}
