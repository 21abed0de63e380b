#!/usr/bin/env node
// Does the queue keep what it promises? Starts `scrum serve`, brings jobs, and prints a line a promise with what was measured. Ends with
// status 1 if one is not kept. The bounds are loose, for machines that do other things too; the figures come from benches/queue.mjs.
//
//   cargo build --release && node tests/validate/queue.mjs
//
// SCRUM=PATH is another program than target/release/scrum.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { percentile, sleep } from './client.mjs';
import { ask, bring, cancel, client, metrics, round, serve, until } from './jobs.mjs';

const scrum = resolve(process.env.SCRUM ?? join(import.meta.dirname, '../../target/release/scrum'));
let broken = 0;

function promise(name, measured, relation, bound, unit = '') {
  const kept = measured !== null && measured !== undefined && { '=': measured === bound, '≤': measured <= bound, '≥': measured >= bound }[relation];
  if (!kept) broken += 1;
  const shown = typeof measured === 'number' ? `${Math.round(measured * 1000) / 1000}${unit}` : String(measured ?? 'nothing');
  console.log(`${kept ? 'ok    ' : 'FAILED'}  ${name.padEnd(82)} ${shown.padStart(10)}   ${relation} ${bound}${unit}`);
}

// What the founding system asserted of its metrics after 48 jobs, and the p95 it promised for each.
async function load(url, agent) {
  const agents = Array.from({ length: 6 }, () => client(8));
  await round(agents, url, 8);
  const rounds = [];
  for (let n = 0; n < 10; n += 1) rounds.push(await round(agents, url, 8));
  const times = rounds.flatMap((one) => one.times);
  promise('10 rounds of 48 jobs (6 clients × 8): succeeded', rounds.reduce((sum, one) => sum + one.succeeded, 0), '=', 480);
  promise('… a job p95, from when it is sent to when its end is heard of', percentile(times, 0.95), '≤', 100, ' ms');
  promise('… a round, the median', percentile(rounds.map((one) => one.ms), 0.5), '≤', 150, ' ms');
  let now = await metrics(agent, url);
  for (let waited = 0; now.of('scrum_cpu_ratio') > 0.8 && waited < 20; waited += 1) {
    await sleep(1000);
    now = await metrics(agent, url);
  }
  const ended = (status) => now.of('scrum_jobs_total', { status }) ?? 0;
  const succeeded = ended('succeeded') / (ended('succeeded') + ended('failed') + ended('timed_out'));
  promise('metrics: jobs that wait', now.of('scrum_queue_depth'), '≤', 200);
  promise('metrics: workers', now.of('scrum_workers'), '≥', 2);
  promise('metrics: share of the processors, at rest', now.of('scrum_cpu_ratio'), '≤', 0.8);
  promise('metrics: share of the memory', now.of('scrum_memory_ratio'), '≤', 0.8);
  promise('metrics: share of jobs that succeeded', succeeded, '≥', 0.95);
  promise('metrics: jobs that were stored are those that ended', ended('enqueued'), '=', ended('succeeded'));
}

// 64 clients bring more than there is room for while nothing ends.
async function full(url, agent) {
  const clients = Array.from({ length: 64 }, () => client(1));
  const order = (n) => ({ kind: 'noop', work_ms: 600_000, dedupe_key: `full-${n}` });
  const blocking = await Promise.all(Array.from({ length: 10 }, (_, n) => bring(agent, url, order(n))));
  const ids = blocking.map((one) => JSON.parse(one.text).id);
  await Promise.all(ids.map((id) => until(client(1), url, id, ['running'])));
  const answers = await Promise.all(Array.from({ length: 320 }, (_, n) => bring(clients[n % 64], url, order(n + 10))));
  const told = answers.filter((one) => one.status === 429 && Number(one.headers['retry-after']) >= 1);
  promise('64 clients bring 320 jobs where 200 may wait: taken', answers.filter((one) => one.status === 201).length, '=', 200);
  promise('… told to come back later', told.length, '=', 120);
  const same = await bring(agent, url, order(0));
  promise('… one that is there already is no further one', same.status, '=', 200);
  const now = await metrics(agent, url);
  promise('metrics: jobs that wait', now.of('scrum_queue_depth'), '=', 200);
  promise('metrics: jobs that run', now.of('scrum_workers_running'), '=', 10);
  return { ids, waiting: answers.filter((one) => one.status === 201).map((one) => JSON.parse(one.text).id) };
}

async function cancels(url, agent, { ids, waiting }) {
  const timed = async (id) => {
    const gone = until(client(1), url, id);
    const begun = performance.now();
    const { status } = await cancel(agent, url, id);
    const state = await gone;
    return { ms: performance.now() - begun, right: status === 200 && state === 'cancelled' };
  };
  for (const [name, some] of [['wait', waiting.slice(0, 100)], ['run', ids]]) {
    const got = [];
    for (const id of some) got.push(await timed(id));
    promise(`${some.length} jobs that ${name} are called off: cancelled`, got.filter((one) => one.right).length, '=', some.length);
    promise('… the slowest', Math.max(...got.map((one) => one.ms)), '≤', 300, ' ms');
  }
  promise('… called off again: status', (await cancel(agent, url, ids[0])).status, '=', 409);
}

// Everything that alerts and the dashboard ask for by name is there, unless it is about models, of which there are none.
async function names(url, agent) {
  const { text } = await metrics(agent, url);
  const root = resolve(import.meta.dirname, '../../ops');
  const asked = readdirSync(root, { recursive: true }).filter((path) => /\.(rules\.yml|json)$/.test(path)).flatMap((path) => readFileSync(join(root, path), 'utf8').match(/\bscrum_[a-z_]+/g) ?? []);
  const family = (name) => name.replace(/_(bucket|sum|count)$/, '');
  const missing = [...new Set(asked)].filter((name) => !name.startsWith('scrum_gateway_') && !new RegExp(`^# TYPE ${family(name)} `, 'm').test(text));
  promise('metrics that alerts and dashboard ask for and are not there', missing.join(' ') || 0, '=', 0);
}

async function main(url) {
  const agent = client();
  promise('GET /queue/health', (await ask(agent, 'GET', `${url}/queue/health`)).status, '=', 200);
  await load(url, agent);
  const jobs = await full(url, agent);
  await cancels(url, agent, jobs);
  await names(url, agent);
}

if (!existsSync(scrum)) {
  console.log(`skipped: needs ${scrum}: cargo build --release`);
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const folder = mkdtempSync(join(tmpdir(), 'scrum-queue-'));
// The machine may be busy with other things, which is not what is looked at here.
const served = await serve(scrum, folder, { settings: 'busy_percent = 100' });
try {
  await main(served.url);
} catch (error) {
  broken += 1;
  console.log(`FAILED  ${error.stack}\n${served.said()}`);
} finally {
  await served.stop();
  rmSync(folder, { recursive: true });
}
console.log(broken ? `${broken} promises are not kept` : 'all promises are kept');
process.exit(broken ? 1 : 0);
