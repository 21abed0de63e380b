// How fast the queue is over HTTP, durably, with jobs that do nothing; and how fast jobs are called off.
//
//   cargo build --release && node benches/queue.mjs [--seconds 10] [--rounds 50] [--scrum PATH] [--store postgres://…]
//
// Needs node, git and wrk on Linux. Clients and daemon are processes of one machine. Beside the figures stands how fast its disk is: every
// job is on disk before its 201 and again before its end counts (SQLite with synchronous = FULL, PostgreSQL as it is configured). The store
// is a new file, or a database at --store that nobody else uses. `busy_percent = 100`: the load itself would hold jobs back otherwise.
// Prints Markdown; the founding figures, in memory and without HTTP's clients, are the column beside.
import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { percentile, sleep } from '../tests/validate/client.mjs';
import { bring, cancel, client, job, metrics, round, serve, until } from '../tests/validate/jobs.mjs';

const root = resolve(import.meta.dirname, '..');
const text = (fallback) => ({ type: 'string', default: fallback });
const options = { seconds: text('10'), rounds: text('50'), scrum: text(`${root}/target/release/scrum`), store: text('scrum.db') };
const { values: given } = parseArgs({ options });
const CLIENTS = 64;

// Writes of 4 KB that are on disk, a second, and their p95 in ms.
function disk(folder) {
  const file = openSync(`${folder}/probe`, 'w');
  const block = Buffer.alloc(4096, 1);
  const times = [];
  for (const begun = performance.now(); performance.now() - begun < 2000;) {
    const before = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push(performance.now() - before);
  }
  closeSync(file);
  return { rate: times.length / 2, p95: percentile(times, 0.95) };
}

async function rounds(url) {
  const agents = Array.from({ length: 6 }, () => client(8));
  // node compiles this program while it runs, with the processor that the daemon needs: for some twenty rounds, a fresh daemon for five.
  for (let n = 0; n < 25; n += 1) await round(agents, url, 8);
  const all = [];
  for (let n = 0; n < Number(given.rounds); n += 1) {
    all.push(await round(agents, url, 8));
    await sleep(50);
  }
  const times = all.map((one) => one.ms);
  return {
    best: Math.min(...times),
    median: percentile(times, 0.5),
    p95: percentile(all.flatMap((one) => one.times), 0.95),
    success: all.reduce((sum, one) => sum + one.succeeded, 0) / all.reduce((sum, one) => sum + one.jobs, 0),
  };
}

const script = `
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"kind":"noop"}'
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() created, other = 0, 0 end
function response(status) if status == 201 then created = created + 1 else other = other + 1 end end
function done(summary, latency)
  local created, other = 0, 0
  for _, thread in ipairs(threads) do created = created + thread:get("created"); other = other + thread:get("other") end
  print(string.format('{"created":%d,"other":%d,"seconds":%.3f,"p50":%.2f,"p95":%.2f}', created, other, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3))
end
`;

// Jobs a second that were stored and came to their end, from the first until the last of them is over.
async function sustained(folder, url, agent) {
  writeFileSync(`${folder}/load.lua`, script);
  const done = async () => (await metrics(agent, url)).of('scrum_jobs_total', { status: 'succeeded' }) ?? 0;
  const before = await done();
  const args = ['-t1', `-c${CLIENTS}`, `-d${given.seconds}s`, '--timeout', '30s', '-s', `${folder}/load.lua`, `${url}/queue/enqueue`];
  const begun = performance.now();
  const printed = execFileSync('wrk', args, { encoding: 'utf8' });
  const got = JSON.parse(printed.trim().split('\n').pop());
  // Not more often: each question has the store count all that has ended.
  while (await done() - before < got.created) await sleep(100);
  return { ...got, brought: got.created / got.seconds, ended: got.created / ((performance.now() - begun) / 1000) };
}

// Milliseconds from the call until the end is heard of.
async function called_off(agent, watcher, url, id) {
  const gone = until(watcher, url, id);
  const begun = performance.now();
  const { status } = await cancel(agent, url, id);
  if (status !== 200) return Infinity;
  return (await gone) === 'cancelled' ? performance.now() - begun : Infinity;
}

async function noops_called_off(url, agent) {
  const watcher = client(8);
  const ids = [];
  // Those that are to run first, one after the other: of jobs brought at once nobody knows which is the first.
  for (let n = 0; n < 110; n += 1) ids.push(JSON.parse((await bring(agent, url, { kind: 'noop', work_ms: 600_000 })).text).id);
  const waiting = [];
  for (const id of ids.slice(20)) waiting.push(await called_off(agent, watcher, url, id));
  const running = [];
  for (const id of ids.slice(0, 20)) {
    await until(watcher, url, id, ['running']);
    running.push(await called_off(agent, watcher, url, id));
  }
  return { waiting, running };
}

const marked = (mark) => readdirSync('/proc').filter((pid) => {
  try { return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark); } catch { return false; }
});

// Reviews by a program that takes for ever: until it is gone from the list of processes.
async function children_called_off(url, agent, repository, mark) {
  const times = [];
  for (let n = 0; n < 20; n += 1) {
    const brought = await bring(agent, url, { kind: 'review', repo: repository, range: 'HEAD~1..HEAD' });
    if (brought.status !== 201) throw new Error(`no review: ${brought.status} ${brought.text}`);
    const { id } = JSON.parse(brought.text);
    for (let waited = 0; !marked(mark).length; waited += 1) {
      const { state, reason } = await job(agent, url, id);
      if (waited > 1000 || !['queued', 'running'].includes(state)) throw new Error(`the review does not run: ${state} ${reason}`);
      await sleep(10);
    }
    const begun = performance.now();
    await cancel(agent, url, id);
    while (marked(mark).length) await sleep(1);
    times.push(performance.now() - begun);
  }
  return times;
}

// One job at a time while nothing else is done: milliseconds by the store's clock until a worker took it.
async function idle_waits(url, agent) {
  const waits = [];
  for (let n = 0; n < 200; n += 1) {
    const { id } = JSON.parse((await bring(agent, url, { kind: 'noop' })).text);
    await until(agent, url, id);
    const shown = await job(agent, url, id);
    waits.push(Date.parse(shown.started) - Date.parse(shown.created));
    await sleep(5);
  }
  return waits;
}

// A repository with a change, and the configuration of a reviewer who never answers.
function change(folder, mark) {
  const repository = `${folder}/repository`;
  mkdirSync(repository);
  const git = (...args) => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd: repository });
  git('init', '-q');
  for (const line of ['one', 'two']) {
    writeFileSync(`${repository}/file.txt`, `${line}\n`);
    git('add', '.');
    git('commit', '-qm', line);
  }
  const reviewer = `[[reviewer]]\nid = "slow"\nprovider = "command"\ncommand = ["sleep", "${mark}"]\nlineage = "sleep"\nmodel = "sleep"\n`;
  return { repository, more: `[[serve.repository]]\npath = "${repository}"\n[panel]\nreviewers = ["slow"]\n${reviewer}` };
}

const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const shown = (value, unit = ' ms') => (Number.isFinite(value) ? `${value.toFixed(value < 100 ? 1 : 0)}${unit}` : 'never');

async function main(folder, url, repository, mark) {
  const agent = client();
  const { rate, p95 } = disk(folder);
  console.log(`\n${given.store.includes('://') ? 'PostgreSQL' : 'SQLite, synchronous = FULL'}; disk: ${rate.toFixed(0)} writes of 4 KB a second on disk one after the other, p95 ${p95.toFixed(2)} ms; load of the machine at the start ${loadavg()[0].toFixed(1)}\n`);
  row('', 'measured', 'wished for', 'founding figures (in memory)', 'ratio');
  row('---', '---:', '---:', '---:', '---:');
  const waits = await idle_waits(url, agent);
  row('wait for a worker when idle, p95', shown(percentile(waits, 0.95)), '10 ms', '', '');
  const all = await rounds(url);
  row('a round of 48 jobs (6 clients × 8), best', shown(all.best), '51 ms', '51 ms', (51 / all.best).toFixed(2));
  row(`… median of ${given.rounds}`, shown(all.median), '51 ms', '51 ms', (51 / all.median).toFixed(2));
  row('… a job from call to end, p95', shown(all.p95), '30 ms', '100 ms', (100 / all.p95).toFixed(2));
  row('… succeeded', shown(all.success * 100, ' %'), '100 %', '100 %', '');
  const { waiting, running } = await noops_called_off(url, agent);
  row('a job that waits is called off, p95', shown(percentile(waiting, 0.95)), '20 ms', '', '');
  row('a job that runs is called off, p95', shown(percentile(running, 0.95)), '20 ms', '', '');
  const children = await children_called_off(url, agent, repository, mark);
  row('… and its processes are gone, p95', shown(percentile(children, 0.95)), '20 ms', '', '');
  const load = await sustained(folder, url, agent);
  row(`${CLIENTS} clients for ${given.seconds} s: jobs stored a second`, shown(load.brought, ''), '', '', '');
  row('… stored and done a second', shown(load.ended, ''), given.store.includes('://') ? '1,500' : '5,000', '941', (load.ended / 941).toFixed(2));
  row('… answer to a client, p50 / p95', `${shown(load.p50)} / ${shown(load.p95)}`, '', '', '');
  row('… refused or failed', load.other, '0', '', '');
  const now = await metrics(agent, url);
  row('CPU and memory of the machine at the end', `${shown(now.of('scrum_cpu_ratio') * 100, ' %')}, ${shown(now.of('scrum_memory_ratio') * 100, ' %')}`, '', '80 %', '');
}

const folder = mkdtempSync(join(tmpdir(), 'scrum-queue-'));
const mark = String(600_000 + process.pid);
const { repository, more } = change(folder, mark);
const settings = 'busy_percent = 100\nwaiting = 1000000';
const served = await serve(resolve(given.scrum), `${folder}/daemon`, { settings, more, store: given.store });
try {
  await main(folder, served.url, repository, mark);
} catch (error) {
  console.error(error, served.said());
  process.exitCode = 1;
} finally {
  await served.stop();
  rmSync(folder, { recursive: true });
}
