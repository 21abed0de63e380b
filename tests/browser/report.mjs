// `report.html` in a real browser: what a tally holds is there, filters work and are in the link, everything is reached by key and read
// by machine, and nothing hostile does anything. Needs SCRUM, the program; tests/it/browser.rs runs it.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOSTILE, attacked, reviewed, run } from './change.mjs';
import { NARROW, WIDE, checks, launch, open, unreached, violations } from './page.mjs';

const scrum = resolve(process.env.SCRUM);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const scratch = mkdtempSync(join(tmpdir(), 'pages-'));
const check = checks();
const browser = await launch();

// The report of a run as a file and as a tally.
async function written(name, folder, wanted) {
  const file = join(scratch, `${name}.html`);
  const html = await run(scrum, folder, ['report', wanted, '--format', 'html', '-o', file]);
  const json = await run(scrum, folder, ['report', wanted, '--format', 'json']);
  if (html.status !== 0 || json.status !== 0) throw new Error(`${name}: ${html.stderr}${json.stderr}`);
  return { name, file, url: `file://${file}`, tally: JSON.parse(json.stdout) };
}

// Light and dark, wide and narrow: no trouble, no rule of accessibility broken, nothing wider than the screen.
async function looks({ name, url }, sizes = { wide: WIDE, narrow: NARROW }) {
  for (const scheme of ['light', 'dark']) {
    for (const [width, size] of Object.entries(sizes)) {
      const { page, trouble } = await open(browser, url, { scheme, size });
      check.none(`${name} ${scheme} ${width}: rules of accessibility`, await violations(page));
      const wider = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
      check.same(`${name} ${scheme} ${width}: no wider than the screen`, Math.max(wider, 0), 0);
      check.none(`${name} ${scheme} ${width}: nothing amiss`, trouble);
      await page.close();
    }
  }
}

const RANK = ['INFO', 'WARN', 'BLOCK'];
const worst = (members) => members.map((one) => one.severity).sort((a, b) => RANK.indexOf(b) - RANK.indexOf(a))[0] ?? '';

// The matrix and the grid have the tally's cells.
async function content({ name, url, tally }) {
  const { page, trouble } = await open(browser, url);
  const matrix = await page.evaluate(() => {
    const words = (one) => one?.textContent.trim().replace(/\s+/g, ' ') ?? '';
    // Of many issues the rest stands in a table of its own, folded.
    const heads = [...document.querySelector('table.matrix')?.querySelectorAll('thead th') ?? []].slice(2).map((one) => one.firstChild.textContent.trim());
    const rows = [...document.querySelectorAll('table.matrix tbody tr')].map((row) => {
      const cells = [...row.querySelectorAll('td')].slice(1).map((cell) => words(cell.querySelector('.sev')));
      return [row.dataset.issue, words(row.querySelector('.agreed')), Object.fromEntries(cells.map((cell, at) => [heads[at], cell]))];
    });
    return { heads: heads.sort(), rows };
  });
  const lineages = [...new Set(tally.panel.map((seat) => seat.lineage))].sort();
  check.same(`${name}: a column a lineage`, matrix.heads, tally.issues.length > 0 ? lineages : []);
  const rows = tally.issues.map((issue) => {
    const own = (lineage) => issue.members.filter((one) => one.lineage === lineage && !one.retracted);
    return [issue.id, issue.agreement, Object.fromEntries(lineages.map((lineage) => [lineage, worst(own(lineage))]))];
  });
  const ordered = (list) => list.map(([id, agreement, cells]) => [id, agreement, Object.entries(cells).sort()]).sort();
  check.same(`${name}: who saw what, how severe`, ordered(matrix.rows), ordered(rows));
  const grid = await page.evaluate(() => {
    const rows = [...document.querySelectorAll('table.grid tbody tr')];
    return rows.map((row) => [...row.querySelectorAll('td.task')].map((cell) => cell.classList[1]));
  });
  const seats = tally.panel.map((seat) => seat.reviewer);
  const bundles = [...new Set(tally.coverage.map((task) => task.bundle))];
  const state = (bundle, reviewer) => tally.coverage.find((one) => one.bundle === bundle && one.reviewer === reviewer)?.state;
  check.same(`${name}: who answered what`, grid, bundles.map((bundle) => seats.map((reviewer) => state(bundle, reviewer))));
  const wordings = await page.evaluate(() => document.querySelectorAll('.issue .wording').length);
  check.same(`${name}: every wording`, wordings, tally.issues.flatMap((issue) => issue.members).filter((one) => !one.retracted).length);
  check.none(`${name}: nothing amiss`, trouble);
  await page.close();
}

// What the filters leave; rows may be folded.
const shown = (page) => page.evaluate(() => ({
  issues: [...document.querySelectorAll('.issue')].filter((one) => one.checkVisibility()).length,
  rows: document.querySelectorAll('tr[data-issue]:not([hidden])').length,
}));

// Each filter leaves what the tally says that it should, and its link shows the same in another window.
async function filters({ name, url, tally }) {
  const { page, trouble } = await open(browser, url);
  const expect = async (what, fits, filter) => {
    const wanted = tally.issues.filter(fits).length;
    check.same(`${name}: ${what}`, await shown(page), { issues: wanted, rows: wanted });
    const link = page.url();
    const inLink = Object.fromEntries(new URLSearchParams(new URL(link).hash.slice(1)));
    check.same(`${name}: ${what} is in the link`, inLink, filter);
    const other = await open(browser, link);
    check.same(`${name}: ${what}, from the link`, await shown(other.page), { issues: wanted, rows: wanted });
    check.none(`${name}: ${what}, nothing amiss`, other.trouble);
    await other.page.close();
  };
  await page.click('input[name=severity][value=BLOCK]');
  await expect('BLOCK only', (one) => one.severity === 'BLOCK', { severity: 'BLOCK' });
  await page.click('input[name=severity][value=INFO]');
  await expect('BLOCK and INFO', (one) => one.severity !== 'WARN', { severity: 'BLOCK,INFO' });
  const { lineage } = tally.panel[0];
  await page.select('select[name=lineage]', lineage);
  const seen = (one) => one.severity !== 'WARN' && one.lineages.includes(lineage);
  await expect('and one lineage', seen, { severity: 'BLOCK,INFO', lineage });
  await page.click('#clear');
  await expect('all again', () => true, {});
  await page.click('input[name=agreement][value=single]');
  await expect('one lineage alone', (one) => one.agreement === 'single', { agreement: 'single' });
  await page.click('#clear');
  // Where each component is one bundle, one choice is enough.
  const { id, component } = tally.bundles[0];
  const [choice, value] = (await page.$('select[name=component]')) ? ['component', component] : ['bundle', id.replace('_', ' ')];
  await page.select(`select[name=${choice}]`, value);
  const its = new Set(tally.bundles.filter((one) => one.component === component).map((one) => one.id));
  await expect(`one ${choice}`, (one) => one.members.some((member) => its.has(member.bundle)), { [choice]: value });
  await page.click('#clear');
  const word = 'daylight';
  await page.type('input[name=text]', word);
  const says = (one) => one.members.some((member) => !member.retracted && JSON.stringify(member).toLowerCase().includes(word));
  await expect('a word', says, { text: word });
  await page.$eval('input[name=text]', (box) => { box.value = ''; });
  await page.type('input[name=text]', 'no such word anywhere');
  check.same(`${name}: where nothing is left, the page says so`, await page.$eval('#none', (one) => one.checkVisibility()), true);
  check.none(`${name}: filters, nothing amiss`, trouble);
  await page.close();
}

// A link to an issue opens it, also where it is folded.
async function links({ name, url, tally }) {
  const { id } = tally.issues.at(-1);
  const { page, trouble } = await open(browser, `${url}#i-${id}`);
  const open_ = await page.$eval(`[id="i-${id}"]`, (one) => one.open && one.getBoundingClientRect().top < innerHeight);
  check.same(`${name}: a link to an issue opens it`, open_, true);
  const first = tally.issues[0].id;
  await page.$eval(`a[href="#i-${first}"]`, (one) => one.click());
  const went = await page.evaluate(() => [location.hash, document.activeElement.closest('.issue')?.id]);
  check.same(`${name}: a row of the matrix leads to its issue`, went, [`#i-${first}`, `i-${first}`]);
  check.none(`${name}: links, nothing amiss`, trouble);
  await page.close();
}

async function keys({ name, url }) {
  const { page } = await open(browser, url);
  check.none(`${name}: every control by key, with its focus shown`, await unreached(page));
  await page.close();
}

// Without scripts all is there and nothing pretends to filter.
async function unscripted({ name, url, tally }) {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.goto(url);
  check.same(`${name}: without scripts`, await shown(page), { issues: tally.issues.length, rows: tally.issues.length });
  check.same(`${name}: without scripts no filters`, await page.$eval('#filters', (one) => one.checkVisibility()), false);
  await page.close();
}

// Hostile text is read as text, and nothing of it has become markup.
async function harmless({ name, url }) {
  const { page, trouble } = await open(browser, url);
  const found = await page.evaluate(() => {
    const foreign = 'img, iframe, object, embed, base, [onerror], [onload], [onclick], [srcdoc], [style], form';
    const links = [...document.querySelectorAll('a')].map((one) => one.getAttribute('href')).filter((to) => !to?.startsWith('#'));
    return {
      markup: [...document.querySelectorAll(foreign)].map((one) => one.outerHTML.slice(0, 80)),
      scripts: document.scripts.length,
      metas: document.querySelectorAll('meta[http-equiv]').length,
      links,
      text: document.body.textContent.replace(/\s+/g, ' '),
    };
  });
  check.none(`${name}: no markup of others`, found.markup);
  check.same(`${name}: our script and our policy alone`, [found.scripts, found.metas], [1, 1]);
  check.none(`${name}: no link leads out`, found.links);
  check.none(`${name}: hostile text is read as it was said`, HOSTILE.filter((text) => !found.text.includes(text)));
  check.none(`${name}: nothing happens`, trouble);
  // Neither when everything is clicked, hovered and printed.
  await page.evaluate(() => document.querySelectorAll('summary, button, label, a').forEach((one) => {
    one.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
  }));
  await page.emulateMediaType('print');
  await page.pdf();
  check.none(`${name}: nothing happens when everything is clicked`, trouble);
  await page.close();
}

// How long until a reader can use the page; told, not judged: the machine may be busy.
async function speed({ name, file, url }) {
  const { page } = await open(browser, url);
  const took = await page.evaluate(() => Math.round(performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd));
  console.log(`measured ${name}: ${Math.round(statSync(file).size / 1000)} KB, interactive after ${took} ms`);
  await page.close();
}

try {
  const [few, many, hostile] = ['few', 'many', 'hostile'].map((name) => join(scratch, name));
  const fault = (model, prompt) => (model.id === 'gemini' && prompt.includes('+++ b/billing/') ? 400 : 0);
  await Promise.all([reviewed(scrum, few, 3), reviewed(scrum, many, 300, { fault }), attacked(scrum, hostile)]);
  const committed = await written('committed', root, 'reviews/20261121-062149897-4ac24b');
  const three = await written('3 issues', few, 'latest');
  const hundreds = await written('300 issues', many, 'latest');
  const attack = await written('hostile', hostile, 'latest');
  check.same('300 issues: enough of them to tell', hundreds.tally.issues.length > 250, true);
  for (const one of [committed, three, hundreds, attack]) await content(one);
  for (const one of [committed, three, attack]) await looks(one);
  await looks(hundreds, { wide: WIDE });
  await filters(hundreds);
  for (const one of [committed, hundreds]) await links(one);
  await keys(three);
  await unscripted(three);
  await harmless(attack);
  for (const one of [committed, three, hundreds]) await speed(one);
  check.same('a usual report is under 300 KB', readFileSync(three.file).length < 300_000, true);
} finally {
  await browser.close();
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(check.end());
