// Pictures of all pages, to be looked at: node tests/browser/shots.mjs DIR [--scrum target/debug/scrum] [--only report|dashboard]
//
// Reports of a committed run, of 3 and of 300 issues, and the daemon's pages with a live run; each in light and dark, wide and narrow.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bring, client, until } from '../validate/jobs.mjs';
import { change, configuration, daemon, further, gates, panel, reviewed, run } from './change.mjs';
import { NARROW, WIDE, launch, open } from './page.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { scrum: { type: 'string', default: 'target/debug/scrum' }, only: { type: 'string', default: '' } } });
const [into] = positionals;
if (!into) throw new Error('which folder?');
const scrum = resolve(values.scrum);
mkdirSync(into, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'shots-'));
const browser = await launch();

async function shoot(name, url, { whole = false } = {}) {
  for (const scheme of ['light', 'dark']) {
    for (const [width, size] of [['wide', WIDE], ['narrow', NARROW]]) {
      const { page, trouble } = await open(browser, url, { scheme, size });
      const path = join(into, `${name}-${scheme}-${width}.png`);
      // What no window shows is not drawn: the window grows with the page.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      if (whole) await page.setViewport({ ...size, height: Math.min(height, 10_000) });
      await page.screenshot({ path });
      console.log(path, ...trouble);
      await page.close();
    }
  }
}

// A model that is out of order, so that there is something that was not read.
const fault = (model, prompt) => (model.id === 'gemini' && prompt.includes('+++ b/billing/') ? 529 : 0);

async function reports() {
  const here = resolve('.');
  for (const count of [3, 300]) {
    const folder = join(scratch, `${count}`);
    await reviewed(scrum, folder, count, { pace: 500, fault });
    await report(`report-${count}`, folder, 'latest', count === 3);
  }
  await report('report-committed', here, 'reviews/20261121-062149897-4ac24b', true);
}

async function report(name, folder, wanted, whole) {
  const file = join(resolve(into), `${name}.html`);
  const printed = await run(scrum, folder, ['report', wanted, '--format', 'html', '-o', file]);
  if (printed.status !== 0) throw new Error(printed.stderr);
  await shoot(name, `file://${file}`, { whole });
}

// Runs that are over, one whose answers come in, and one that waits.
async function dashboard() {
  const folder = join(scratch, 'daemon');
  const held = gates();
  const models = await panel(change(folder, 40), { pace: 300, gate: (model) => held.wait(model.id), fault });
  const running = await daemon(scrum, folder, `queue.workers = 1\n${configuration(models.url)}`);
  try {
    const agent = client();
    const order = (more) => bring(agent, running.url, { kind: 'review', repo: folder, range: 'HEAD~1..HEAD', ...more });
    held.openAll();
    const first = JSON.parse((await order({})).text).id;
    await until(agent, running.url, first);
    held.closeAll();
    for (const name of ['kimi', 'qwen', 'mistral', 'opus']) held.open(name);
    further(folder);
    const live = JSON.parse((await order({})).text).id;
    await until(agent, running.url, live, ['running', 'succeeded', 'failed']);
    await bring(agent, running.url, { kind: 'noop', work_ms: 600_000, priority: 'high' });
    await new Promise((done) => { setTimeout(done, 4000); });
    for (const [name, path] of [['overview', '/'], ['live', `/runs/${live}`], ['run', `/runs/${first}`], ['runs', '/runs'], ['queue', '/queue'], ['gateway', '/gateway'], ['reviewers', '/reviewers']]) {
      await shoot(`dashboard-${name}`, `${running.url}${path}`);
    }
  } finally {
    held.openAll();
    await running.stop();
    models.stop();
  }
}

try {
  if (values.only !== 'dashboard') await reports();
  if (values.only !== 'report') await dashboard();
} finally {
  await browser.close();
  rmSync(scratch, { recursive: true, force: true });
}
