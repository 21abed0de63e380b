// The daemon's pages in a real browser, during a live run against a server of models that answers when it is told to: a run appears and
// completes without the page being loaded again, jobs are cancelled by a button, and nothing hostile does anything. Needs SCRUM, the
// program; tests/it/browser.rs runs it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sleep } from '../validate/client.mjs';
import { bring, client, job, until as ended } from '../validate/jobs.mjs';
import { attacked, change, configuration, daemon, gates, panel } from './change.mjs';
import { NARROW, WIDE, checks, launch, open, unreached, violations } from './page.mjs';

const scrum = resolve(process.env.SCRUM);
const scratch = mkdtempSync(join(tmpdir(), 'pages-'));
const check = checks();
const browser = await launch();
const agent = client();
const PAGES = ['/', '/runs', '/queue', '/gateway', '/reviewers'];

// Waits until `ask` gives something true, and gives that; what it last gave after 30 seconds.
async function until(ask) {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await ask();
    if (found || Date.now() > end) return found;
    await sleep(50);
  }
}

// A page that knows whether it was loaded again.
async function stay(url, options) {
  const opened = await open(browser, url, options);
  await opened.page.evaluate(() => { window.here = true; });
  return { ...opened, stayed: () => opened.page.evaluate(() => window.here === true) };
}

const text = (page, selector) => page.evaluate((selector) => document.querySelector(selector)?.textContent.replace(/\s+/g, ' ').trim() ?? '', selector);

// States of the cells of a live grid, by reviewer.
const cells = (page) => page.evaluate(() => {
  const table = document.querySelector('table.grid');
  const names = [...(table?.querySelectorAll('thead th') ?? [])].map((one) => one.textContent.trim());
  const found = {};
  for (const row of table?.querySelectorAll('tbody tr') ?? []) {
    [...row.querySelectorAll('td')].forEach((cell, at) => {
      const state = cell.querySelector('.cell, .state')?.textContent.trim() ?? '';
      (found[names[at + names.length - row.querySelectorAll('td').length]] ??= []).push(state);
    });
  }
  return found;
});

// A run is watched from its beginning to its report.
async function live(url, order, gates) {
  const overview = await stay(`${url}/`);
  check.same('before any run', await text(overview.page, '#underway .run'), '');
  const { id } = JSON.parse((await bring(agent, url, order)).text);
  const appeared = await until(() => overview.page.evaluate(() => document.querySelector('#underway a.run')?.getAttribute('href')));
  check.same('a run appears on the overview by itself', appeared, `/runs/${id}`);
  const run = await stay(`${url}/runs/${id}`);
  const waiting = (found) => Object.keys(found).length >= 8 && found;
  const before = (await until(async () => waiting(await cells(run.page)))) || {};
  check.same('its grid has all reviewers before any answer', Object.keys(before).length, 8);
  const answered = (found, name) => (found[name] ?? []).filter((state) => state.startsWith('answered')).length;
  check.same('and nothing is answered', Object.keys(before).reduce((sum, name) => sum + answered(before, name), 0), 0);
  gates.open('kimi');
  const count = before.kimi?.length ?? 0;
  const some = await until(async () => {
    const found = await cells(run.page);
    return answered(found, 'kimi') === count && found;
  });
  check.same('cells fill as answers come in', some && answered(some, 'kimi'), count);
  check.same('others are still open', some && answered(some, 'opus'), 0);
  gates.openAll();
  check.same('the job succeeds', await ended(agent, url, id), 'succeeded');
  const matrix = await until(() => run.page.evaluate(() => document.querySelectorAll('table.matrix tbody tr').length));
  const file = (await job(agent, url, id)).links.files.find(({ name }) => name.endsWith('/tally.json'));
  const tally = await (await fetch(`${url}${file.href}`)).json();
  check.same('its report stands there by itself, with the issues of the tally', matrix, tally.issues.length);
  check.same('nothing was loaded again', [await overview.stayed(), await run.stayed()], [true, true]);
  // What nobody sees is not kept up to date; whoever looks at it again sees it as it is.
  await overview.page.bringToFront();
  const latest = await until(() => overview.page.evaluate(() => document.querySelector('#latest a.run')?.getAttribute('href')));
  check.same('it stands among the latest runs by itself', latest?.startsWith('/runs/'), true);
  await run.page.bringToFront();
  await run.page.click('input[name=severity][value=BLOCK]');
  const blocks = await run.page.evaluate(() => [...document.querySelectorAll('.issue')].filter((one) => one.checkVisibility()).length);
  check.same('filters work in a report that came by itself', blocks, tally.issues.filter((one) => one.severity === 'BLOCK').length);
  check.none('live: nothing amiss', [...overview.trouble, ...run.trouble]);
  await overview.page.close();
  await run.page.close();
  return id;
}

// A button, a question, and the job is cancelled; the row goes by itself.
async function cancelled(url) {
  const { id } = JSON.parse((await bring(agent, url, { kind: 'noop', work_ms: 600_000 })).text);
  const { page, trouble, stayed } = await stay(`${url}/queue`);
  const button = `[data-cancel$="${id}"]`;
  const there = () => page.evaluate((button) => Boolean(document.querySelector(button)), button);
  check.same('the queue has a button for it', await until(there), true);
  await page.focus(button);
  await page.keyboard.press('Enter');
  check.same('a question is put', await page.evaluate(() => document.querySelector('dialog')?.open), true);
  check.none('the question: rules of accessibility', await violations(page));
  await page.keyboard.press('Escape');
  check.same('no is no', (await job(agent, url, id)).state !== 'cancelled', true);
  await until(there);
  await page.click(button);
  await page.click('dialog button[value=yes]');
  const state = await until(async () => {
    const { state } = await job(agent, url, id);
    return state === 'cancelled' && state;
  });
  check.same('yes is yes', state, 'cancelled');
  check.same('its row goes by itself', await until(async () => !(await there())), true);
  check.same('the queue was not loaded again', await stayed(), true);
  check.none('the queue: nothing amiss', trouble);
  await page.close();
}

async function looks(name, url, path) {
  for (const scheme of ['light', 'dark']) {
    for (const [width, size] of [['wide', WIDE], ['narrow', NARROW]]) {
      const { page, trouble } = await open(browser, `${url}${path}`, { scheme, size });
      const wider = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
      check.none(`${name} ${path} ${scheme} ${width}: rules of accessibility`, await violations(page));
      check.same(`${name} ${path} ${scheme} ${width}: no wider than the screen`, Math.max(wider, 0), 0);
      check.none(`${name} ${path} ${scheme} ${width}: nothing amiss`, trouble);
      await page.close();
    }
  }
}

async function harmless(url, path) {
  const { page, trouble } = await open(browser, `${url}${path}`);
  const found = await page.evaluate(() => {
    const foreign = 'img, iframe, object, embed, base, [onerror], [onload], [onclick], [srcdoc], [style]';
    const links = [...document.querySelectorAll('a')].map((one) => one.getAttribute('href'));
    return { markup: [...document.querySelectorAll(foreign)].map((one) => one.outerHTML.slice(0, 80)), links: links.filter((to) => !/^[/#?]/.test(to)), scripts: document.scripts.length };
  });
  check.same(`hostile ${path}: no markup of others`, found, { markup: [], links: [], scripts: 1 });
  // That there is no such page is told on the console too.
  check.none(`hostile ${path}: nothing happens`, trouble.filter((line) => !line.includes('status of 404')));
  await page.close();
}

const running = [];
try {
  const folder = join(scratch, 'plain');
  const at = gates();
  const models = await panel(change(folder, 12), { gate: (model) => at.wait(model.id) });
  running.push(models);
  const plain = await daemon(scrum, folder, configuration(models.url).replace('[review]', '[review]\nconcurrency = 100'));
  running.push(plain);
  const id = await live(plain.url, { kind: 'review', repo: folder, range: 'HEAD~1..HEAD' }, at);
  await cancelled(plain.url);
  for (const path of [...PAGES, `/runs/${id}`]) await looks('daemon', plain.url, path);
  for (const path of PAGES) {
    const { page } = await open(browser, `${plain.url}${path}`);
    check.none(`${path}: every control by key, with its focus shown`, await unreached(page));
    await page.close();
  }
  const hostile = join(scratch, 'hostile');
  await attacked(scrum, hostile);
  const other = await daemon(scrum, hostile, readFileSync(join(hostile, 'scrum.toml'), 'utf8'));
  running.push(other);
  const order = { kind: 'review', repo: hostile, range: 'HEAD~1..HEAD', dedupe_key: '<img src=x onerror=hacked()>' };
  const brought = JSON.parse((await bring(agent, other.url, order)).text);
  const state = brought.id ? await ended(agent, other.url, brought.id) : JSON.stringify(brought);
  check.same('the hostile run', state, 'succeeded');
  for (const path of [...PAGES, `/runs/${brought.id}`, '/runs?text=%3Cimg%20src=x%20onerror=hacked()%3E', '/<img src=x onerror=hacked()>']) {
    await harmless(other.url, path);
  }
} finally {
  await browser.close();
  for (const one of running.reverse()) await one.stop();
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(check.end());
