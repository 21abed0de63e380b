#!/usr/bin/env node
// Does the queue lose anything? Brings jobs to `scrum serve`, calls some of them off, lets some run out of time, and kills the daemon
// again and again while it takes them in and does them. At last every job that was accepted must be there, in one final state
// that fits, and the daemon as good as new. Prints a line a promise; ends with status 1 if one is not kept.
//
//   cargo build --release && node tests/validate/soak.mjs [--jobs 100000]
//
// SCRUM=PATH is another program than target/release/scrum. Needs python3, which looks into the database from outside. Without it the
// script says so and does nothing, which is a failure where CI=true.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { percentile, sleep, start } from './client.mjs';

const here = import.meta.dirname;
const scrum = resolve(process.env.SCRUM ?? join(here, '../../target/release/scrum'));
const JOBS = Number(process.argv[process.argv.indexOf('--jobs') + 1] || 100_000);
const CLIENTS = 48;
const TENANTS = 5;
const WORKERS = 10;
const WAITING = 200;
const ATTEMPTS = 3;
// Milliseconds between kills, and how many there are at least.
const PAUSES = JOBS < 20_000 ? [300, 1_500] : [1_000, 5_000];
const KILLS = 5;
// Longer than the daemon waits for a lock.
const FOREIGN_LOCK = 10_000;

const folder = mkdtempSync(join(tmpdir(), 'scrum-soak-'));
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const random = (from, to) => from + Math.floor(Math.random() * (to - from));
let broken = 0;

function promise(name, measured, relation, bound, unit = '') {
  const kept = measured !== null && { '=': measured === bound, '≤': measured <= bound, '≥': measured >= bound }[relation];
  if (!kept) broken += 1;
  const shown = measured === null ? 'nothing' : `${Math.round(measured * 10) / 10}${unit}`;
  console.log(`${kept ? 'ok    ' : 'FAILED'}  ${name.padEnd(74)} ${shown.padStart(10)}   ${relation} ${bound}${unit}`);
}

// The daemon, which somebody kills now and then.
const daemon = {
  port: 0, running: null, up: false, killed: 0, damaged: 0,

  async begin() {
    const args = ['serve', '--listen', `127.0.0.1:${this.port}`, '--config', 'scrum.toml', '--store', 'scrum.db'];
    const options = { cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, stdio: ['ignore', 'pipe', 'pipe'] };
    this.running = await start(scrum, args, options);
    this.port = Number(new URL(this.running.url).port);
    this.up = true;
  },

  async kill() {
    this.up = false;
    process.kill(this.running.pid, 'SIGKILL');
    this.killed += 1;
    while (alive(this.running.pid)) await sleep(5);
    if (this.killed % 5 === 1 && !sound()) this.damaged += 1;
    await this.begin();
  },
};

function alive(pid) {
  try { process.kill(pid, 0); return true; } catch { return false; }
}

const python = (code, ...more) => ['python3', ['-c', code, `${folder}/scrum.db`, ...more]];

function sound() {
  const [program, args] = python("import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchone()[0])");
  return execFileSync(program, args, { encoding: 'utf8' }).trim() === 'ok';
}

// One request; rejects when the connection breaks.
function ask(method, path, { tenant, body } = {}) {
  return new Promise((done, failed) => {
    const payload = body && JSON.stringify(body);
    const headers = { ...(tenant && { 'x-org-id': tenant }), ...(payload && { 'content-type': 'application/json', 'content-length': payload.length }) };
    const request = http.request({ host: '127.0.0.1', port: daemon.port, method, path, headers, agent, timeout: 30_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => { text += piece; });
      response.on('error', failed);
      response.on('aborted', () => failed(new Error('cut off')));
      response.on('end', () => {
        try { done({ status: response.statusCode, body: JSON.parse(text) }); } catch (error) { failed(error); }
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 30 s')));
    request.on('error', failed);
    request.end(payload);
  });
}

// Asks until somebody answers who can: the daemon may be gone, or without its store.
async function insist(method, path, options) {
  for (;;) {
    try {
      const got = await ask(method, path, options);
      if (got.status !== 503) return got;
    } catch { /* it was killed, or is not up yet */ }
    await sleep(20);
  }
}

// What was accepted: id to what may come of it.
const accepted = new Map();
// States that were final when somebody looked.
const seen = new Map();
const calling_off = [];
let turned_away = 0;

async function bring(n, tenant) {
  const late = Math.random() < 0.001;
  const order = {
    kind: 'noop',
    work_ms: late ? 60_000 : Math.random() < 0.5 ? 0 : random(0, 20),
    timeout_secs: late ? 1 : 60,
    priority: ['high', 'normal', 'low'][random(0, 3)],
    // An answer that was lost is asked for again.
    dedupe_key: `n${n}`,
  };
  for (;;) {
    const { status, body } = await insist('POST', '/queue/enqueue', { tenant, body: order });
    if (status === 429) {
      turned_away += 1;
      await sleep(random(2, 20));
      continue;
    }
    if (status !== 201 && status !== 200) throw new Error(`bringing a job: ${status} ${JSON.stringify(body)}`);
    accepted.set(body.id, { tenant, late, off: false, asked: false });
    return body.id;
  }
}

async function call_off(id) {
  const job = accepted.get(id);
  job.asked = true;
  await sleep(random(0, 30));
  const begun = performance.now();
  const { up, killed } = daemon;
  const { status, body } = await insist('DELETE', `/queue/cancel/${id}`, { tenant: job.tenant });
  if (status === 200) job.off = true;
  else if (status !== 409) throw new Error(`calling off: ${status} ${JSON.stringify(body)}`);
  if (up && daemon.killed === killed) calling_off.push(performance.now() - begun);
}

const FINAL = ['succeeded', 'failed', 'cancelled', 'timed_out'];
const told = (job) => `${job.state} ${job.attempt} ${job.node} ${job.finished} ${JSON.stringify(job.result)}`;

async function look(id) {
  const { status, body } = await insist('GET', `/queue/jobs/${id}`, { tenant: accepted.get(id).tenant });
  if (status === 200 && FINAL.includes(body.state) && !seen.has(id)) seen.set(id, told(body));
}

async function client(number, next) {
  const tenant = `t${number % TENANTS}`;
  for (let n = next(); n !== null; n = next()) {
    const id = await bring(n, tenant);
    const dice = Math.random();
    if (dice < 0.03) await call_off(id);
    else if (dice < 0.08) await look(id);
  }
}

const worst = { running: 0, waiting: 0 };
const status = async () => (await insist('GET', '/queue/status')).body;
const sum = (numbers) => Object.values(numbers).reduce((all, one) => all + one, 0);

async function watch(until) {
  while (!until.over) {
    const { running, waiting } = await status();
    worst.running = Math.max(worst.running, running);
    worst.waiting = Math.max(worst.waiting, sum(waiting));
    await sleep(50);
  }
}

async function killer(until) {
  while (!until.over) {
    await sleep(random(...PAUSES));
    if (!until.over) await daemon.kill();
  }
}

// Brings all jobs while the daemon is killed, and waits until nothing waits or runs.
async function soak() {
  const until = { over: false };
  const [watching, killing] = [watch(until), killer(until)];
  const [begun, before] = [performance.now(), daemon.killed];
  const kills = () => daemon.killed - before;
  let n = 0;
  const next = () => (n < JOBS || kills() < KILLS ? n++ : null);
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number, next)));
  until.over = true;
  await Promise.all([watching, killing]);
  await idle();
  const seconds = (performance.now() - begun) / 1000;
  promise(`${accepted.size} jobs in ${Math.round(seconds)} s, ${kills()} kills among them: jobs a second`, accepted.size / seconds, '≥', 1);
  promise('kills while jobs came and ran', kills(), '≥', KILLS);
  promise('most that ran at a time', worst.running, '≤', WORKERS);
  // What a kill puts back is not turned away.
  promise('most that waited', worst.waiting, '≤', WAITING + WORKERS);
  console.log(`        (${turned_away} times the queue was full; called off within ${Math.round(percentile(calling_off, 0.95))} ms, p95)`);
}

async function idle() {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const { running, waiting } = await status();
    if (running + sum(waiting) === 0) return;
    if (Date.now() > deadline) throw new Error(`after two minutes ${running} run and ${sum(waiting)} wait`);
    await sleep(50);
  }
}

async function all_of(tenant) {
  const jobs = new Map();
  for (let page = '/queue/jobs?limit=500'; page;) {
    const { body } = await insist('GET', page, { tenant });
    for (const job of body.jobs) jobs.set(job.id, job);
    page = body.next;
  }
  return jobs;
}

// Whether a job's end is one that what was done to it explains.
function fits(job, known) {
  switch (job.state) {
    case 'succeeded': return !known.off && !known.late && job.result !== null;
    case 'timed_out': return !known.off && known.late;
    case 'cancelled': return known.asked;
    // Killed with its daemon as often as it may be tried.
    case 'failed': return !known.off && job.attempt === ATTEMPTS && daemon.killed >= ATTEMPTS;
    default: return false;
  }
}

async function account() {
  const there = new Map();
  for (let n = 0; n < TENANTS; n += 1) for (const [id, job] of await all_of(`t${n}`)) there.set(id, job);
  const known = [...accepted];
  const states = {};
  for (const job of there.values()) states[job.state] = (states[job.state] ?? 0) + 1;
  promise('accepted jobs that are gone', known.filter(([id]) => !there.has(id)).length, '=', 0);
  promise('jobs that are in no final state', [...there.values()].filter((job) => !FINAL.includes(job.state)).length, '=', 0);
  promise('ends that nothing explains', known.filter(([id, one]) => there.has(id) && !fits(there.get(id), one)).length, '=', 0);
  promise('final states that changed afterwards', [...seen].filter(([id, then]) => there.has(id) && told(there.get(id)) !== then).length, '=', 0);
  promise('attempts of a job', Math.max(...[...there.values()].map((job) => job.attempt)), '≤', ATTEMPTS);
  // Stored, but the answer was lost and the job over before it was asked for again.
  const unasked = [...there.keys()].filter((id) => !accepted.has(id)).length;
  promise('jobs that nobody was told of, per kill', unasked / daemon.killed, '≤', CLIENTS);
  const again = [...there.values()].filter((job) => job.attempt > 1).length;
  promise('jobs begun more than once, per kill', again / daemon.killed, '≤', WORKERS);
  console.log(`        (${Object.entries(states).map(([state, jobs]) => `${jobs} ${state}`).join(', ')}; ${again} begun again, ${unasked} untold)`);
}

const one_job = async (order, tenant = 'one') => (await insist('POST', '/queue/enqueue', { tenant, body: { kind: 'noop', ...order } })).body.id;
const job = async (id, tenant = 'one') => (await insist('GET', `/queue/jobs/${id}`, { tenant })).body;

async function becomes(id, states, milliseconds, attempt = 0) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const now = await job(id);
    if ((states.includes(now.state) && now.attempt >= attempt) || Date.now() > deadline) return now;
    await sleep(10);
  }
}

// A job during which the daemon dies each time.
async function poison() {
  const id = await one_job({ work_ms: 600_000 });
  for (let n = 1; n <= ATTEMPTS; n += 1) {
    // The attempt that died with the last daemon is told as running until this one has taken it back.
    await becomes(id, ['running'], 10_000, n);
    await daemon.kill();
  }
  const end = await becomes(id, FINAL, 5_000);
  promise('a job that its daemon never outlives ends failed, after attempts', end.state === 'failed' ? end.attempt : null, '=', ATTEMPTS);
}

// No slot is lost: as many run at once as may.
async function slots() {
  const ids = await Promise.all(Array.from({ length: 2 * WORKERS }, () => one_job({ work_ms: 2_000 })));
  let most = 0;
  for (let n = 0; n < 20; n += 1) {
    most = Math.max(most, (await status()).running);
    await sleep(50);
  }
  promise('afterwards, of 20 jobs at a time run', most, '=', WORKERS);
  const states = await Promise.all(ids.map((id) => becomes(id, FINAL, 20_000)));
  promise('… and succeed', states.filter((one) => one.state === 'succeeded').length, '=', 2 * WORKERS);
}

function second_daemon() {
  const args = ['serve', '--listen', '127.0.0.1:0', '--config', 'scrum.toml', '--store', 'scrum.db'];
  const other = spawnSync(scrum, args, { cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, encoding: 'utf8', timeout: 10_000 });
  promise('a second daemon on the same file ends with status', other.status, '=', 2);
}

// Another program keeps the database locked for longer than the daemon waits.
async function foreign_lock() {
  const long = await one_job({ work_ms: 1_000 });
  await becomes(long, ['running'], 5_000);
  const [program, args] = python(
    "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); time.sleep(float(sys.argv[2]) / 1000)",
    String(FOREIGN_LOCK),
  );
  const holder = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((locked) => holder.stdout.once('data', locked));
  const over = new Promise((closed) => holder.once('close', closed));
  const during = one_job({ work_ms: 0 });
  await over;
  const freed = performance.now();
  const states = [await becomes(long, FINAL, 20_000), await becomes(await during, FINAL, 20_000), await becomes(await one_job({ work_ms: 0 }), FINAL, 20_000)];
  promise('a foreign lock of 10 s: jobs from before, meanwhile and afterwards succeed', states.filter((one) => one.state === 'succeeded').length, '=', 3);
  promise('… once it is given back, within', performance.now() - freed, '≤', 10_000, ' ms');
}

async function main() {
  writeFileSync(`${folder}/scrum.toml`, `[serve.queue]\nworkers = ${WORKERS}\nwaiting = ${WAITING}\nattempts = ${ATTEMPTS}\nbusy_percent = 100\n`);
  await daemon.begin();
  await poison();
  await soak();
  await account();
  await foreign_lock();
  second_daemon();
  await slots();
  promise('kills after which the database was damaged', daemon.damaged, '=', 0);
  await daemon.running.stop();
  promise('the database is sound at last', sound() ? 1 : 0, '=', 1);
}

const missing = spawnSync('which', ['python3']).status !== 0 ? 'python3' : !existsSync(scrum) ? `${scrum}: cargo build --release` : null;
if (missing) {
  console.log(`skipped: needs ${missing}`);
  process.exitCode = process.env.CI === 'true' ? 1 : 0;
} else {
  try {
    await main();
  } catch (error) {
    broken += 1;
    console.log(`FAILED  ${error.stack}\n${daemon.running?.said() ?? ''}`);
  } finally {
    if (daemon.running && alive(daemon.running.pid)) process.kill(daemon.running.pid, 'SIGKILL');
    agent.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
  process.exitCode = broken ? 1 : 0;
}
