#!/usr/bin/env node
// Does the gateway keep what it promises? Starts a provider (provider.mjs) and `scrum serve`, loads them, and prints a line a
// promise with what was measured. Ends with status 1 if one is not kept.
//
//   cargo build --release && node tests/validate/gateway.mjs
//
// SCRUM=PATH is another program than target/release/scrum. Needs bash, curl, jq and npm; npm installs the load tool into target/validate.
// Without them it says so and does nothing, which is a failure where CI=true.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { call, cancelled, chat, json, percentile, serve, sleep, start, whole } from './client.mjs';

const LOAD_TOOL = 'autocannon@9.0.0';
const here = import.meta.dirname;
const tools = resolve(here, '../../target/validate');
const scrum = resolve(process.env.SCRUM ?? join(here, '../../target/release/scrum'));
const org = { 'x-org-id': 'org_demo' };
let broken = 0;

function promise(name, measured, relation, bound, unit = '') {
  const kept = measured !== null && measured !== undefined && { '=': measured === bound, '≤': measured <= bound, '≥': measured >= bound }[relation];
  if (!kept) broken += 1;
  const shown = typeof measured === 'number' ? `${Math.round(measured * 1000) / 1000}${unit}` : 'nothing';
  console.log(`${kept ? 'ok    ' : 'FAILED'}  ${name.padEnd(82)} ${shown.padStart(9)}   ${relation} ${bound}${unit}`);
}

function needed() {
  const missing = ['bash', 'curl', 'jq', 'npm'].filter((tool) => spawnSync('which', [tool]).status !== 0);
  if (missing.length) return `needs ${missing.join(', ')}`;
  if (!existsSync(scrum)) return `needs ${scrum}: cargo build --release`;
  const installed = `${tools}/node_modules/autocannon/package.json`;
  if (!existsSync(installed)) {
    mkdirSync(tools, { recursive: true });
    const npm = ['install', '--prefix', tools, '--no-audit', '--no-fund', '--loglevel=error', LOAD_TOOL];
    if (spawnSync('npm', npm, { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) return `needs ${LOAD_TOOL}, which npm could not install`;
  }
  return null;
}

const counts = (provider) => json(`${provider}/counts`);
const figures = (gateway) => json(`${gateway}/api/metrics/performance?last_n=100`);

// The burst of fifty equal posts into one thread, with the commands people use.
async function burst(gateway, provider) {
  const before = await counts(provider);
  const printed = execFileSync(`${here}/burst.sh`, [gateway], { cwd: tools, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = printed.trim().split('\n');
  const messages = Number(lines.pop());
  const load = JSON.parse(lines.pop());
  promise('50 equal posts to a thread: answered with success', load['2xx'], '=', 50);
  promise('… anything else, errors and timeouts', load.non2xx + load.errors + load.timeouts, '=', 0);
  promise('… latency p97.5', load.latency.p97_5, '≤', 6000, ' ms');
  promise('… messages in the thread', messages, '=', 2);
  promise('… calls to the provider', (await counts(provider)).calls - before.calls, '=', 1);
  const { coalesce, queue_wait_ms, error_rate } = await figures(gateway);
  const { leaders, followers, cache_hits, skipped } = coalesce;
  promise('… leaders in the metrics', leaders, '=', 1);
  promise('… asked once: (followers + cache hits) / requests', (followers + cache_hits) / (leaders + followers + cache_hits + skipped), '≥', 0.98);
  promise('… queue wait p95', queue_wait_ms.p95, '≤', 1000, ' ms');
  promise('… error rate', error_rate, '=', 0);
}

async function thread(gateway) {
  const headers = { 'content-type': 'application/json', ...org };
  const { thread_id } = await json(`${gateway}/api/threads/`, { method: 'POST', headers, body: '{"title":"Check"}' });
  const url = `${gateway}/api/threads/${thread_id}`;
  return { url: `${url}/messages`, messages: async () => (await json(url, { headers: org })).messages.length };
}

const message = (wish, more = {}) => ({ role: 'user', content: `Why? [[${wish}]]`, provider: 'mock', model: 'mock', ...more });

// Ten who read the same stream from a provider that takes a second to begin.
async function readers(name, url, body, provider) {
  const before = await counts(provider);
  const got = await Promise.all(Array.from({ length: 10 }, () => call(url, body, org).answer));
  promise(`10 readers of ${name}: all of it, in order`, got.filter((one) => whole(one, 40)).length, '=', 10);
  promise('… time to the first token p95, provider 1,000 ms', percentile(got.map((one) => one.first ?? Infinity), 0.95), '≤', 1500, ' ms');
  promise('… calls to the provider', (await counts(provider)).calls - before.calls, '=', 1);
}

const STAGES = [
  ['JSON', 'latency=20000', {}],
  ['a stream before its first token', 'latency=20000', { stream: true }],
  ['a stream half way', 'latency=50 tokens=400 gap=20', { stream: true }],
];

// Everyone goes away, at each stage of an answer.
async function cancels(gateway, provider) {
  for (const [name, wish, more] of STAGES) {
    for (const readers of [1, 3]) {
      const delays = [];
      for (let n = 0; n < 3; n += 1) delays.push(await cancelled(`${gateway}/v1/chat/completions`, provider, chat(wish, more), { readers }));
      const slowest = delays.includes(null) ? null : Math.max(...delays);
      promise(`${readers === 1 ? 'the client leaves' : 'three clients leave'}, ${name}: call cancelled within`, slowest, '≤', 300, ' ms');
    }
  }
}

async function thread_cancels(gateway, provider) {
  for (const [name, wish, more] of STAGES) {
    const { url, messages } = await thread(gateway);
    const delay = await cancelled(url, provider, message(wish, more), { headers: org });
    promise(`the client leaves a thread, ${name}: call cancelled within`, delay, '≤', 300, ' ms');
    promise('… messages in the thread', await messages(), '=', 0);
  }
}

// One of three leaves; the others stay.
async function leaver(gateway, provider) {
  const before = await counts(provider);
  const body = chat('latency=200 tokens=40 gap=10', { stream: true });
  const [first, ...others] = Array.from({ length: 3 }, () => call(`${gateway}/v1/chat/completions`, body));
  await sleep(400);
  first.leave();
  const got = await Promise.all(others.map((one) => one.answer));
  promise('the first of 3 readers leaves: the others get all of it', got.filter((one) => whole(one, 40)).length, '=', 2);
  promise('… calls to the provider', (await counts(provider)).calls - before.calls, '=', 1);
}

// One of three reads nothing for a while of an answer of 6 MB, which takes the provider two seconds and more.
async function sluggard(gateway, provider) {
  const before = await counts(provider);
  const body = chat('latency=50 tokens=600 gap=3 size=10000', { stream: true });
  const url = `${gateway}/v1/chat/completions`;
  const held = call(url, body, {}, 4000).answer;
  const quick = await Promise.all([call(url, body), call(url, body)].map((one) => one.answer));
  promise('one of 3 readers of 6 MB stalls for 4 s: the others get all of it', quick.filter((one) => whole(one, 600)).length, '=', 2);
  promise('… and are not held up', Math.max(...quick.map((one) => one.total)), '≤', 4000, ' ms');
  promise('… the one that stalled gets all of it', whole(await held, 600) ? 1 : 0, '=', 1);
  promise('… calls to the provider', (await counts(provider)).calls - before.calls, '=', 1);
}

// The same question from two tenants, and with two credentials.
async function strangers(gateway, provider) {
  const before = await counts(provider);
  const body = chat('latency=300');
  const who = [{ 'x-org-id': 'a' }, { 'x-org-id': 'b' }, { authorization: 'Bearer one' }, { authorization: 'Bearer two' }];
  const got = await Promise.all(who.map((headers) => call(`${gateway}/v1/chat/completions`, body, headers).answer));
  promise('2 tenants and 2 credentials ask the same: answered', got.filter((one) => whole(one, 20)).length, '=', 4);
  promise('… calls to the provider', (await counts(provider)).calls - before.calls, '=', 4);
}

// Chats that have nothing to do with one another.
async function active(name, posts, provider) {
  const before = await counts(provider);
  const got = await Promise.all(posts.map(({ url, body }) => call(url, body, org).answer));
  promise(`${posts.length} active ${name}: all of each answer`, got.filter((one) => whole(one, 40)).length, '=', posts.length);
  const after = await counts(provider);
  promise('… calls to the provider', after.calls - before.calls, '=', posts.length);
  promise('… most at a time since the start', after.most_active, '≥', posts.length);
}

// The provider loses a connection, and has no time.
async function trouble(gateway, provider) {
  const before = await counts(provider);
  const body = chat('latency=50 tokens=40 gap=5 cut=10', { stream: true });
  const got = await Promise.all(Array.from({ length: 10 }, () => call(`${gateway}/v1/chat/completions`, body).answer));
  promise('the provider breaks off: 10 readers see an error and no end', got.filter((one) => one.error && !one.done).length, '=', 10);
  promise('… calls to the provider', (await counts(provider)).calls - before.calls, '=', 1);
  const busy = chat('latency=50 status=429');
  const told = await Promise.all(Array.from({ length: 50 }, () => call(`${gateway}/v1/chat/completions`, busy).answer));
  const passed = told.filter((one) => one.status === 429 && Number(one.headers['retry-after']) >= 1);
  promise('the provider is busy: 50 callers get its 429 and Retry-After', passed.length, '=', 50);
  promise('… calls to the provider, retries and all, with the one above', (await counts(provider)).calls - before.calls, '≤', 4);
}

async function sums(gateway, provider) {
  const { totals } = await figures(gateway);
  const { leaders, followers, cache_hits, skipped } = totals.coalesce ?? totals;
  promise('leaders + followers + cache hits + skipped = requests', leaders + followers + cache_hits + skipped, '=', totals.requests);
  const { calls, retries, unsent } = totals.upstream;
  promise('leaders + skipped = calls − retries + unsent', leaders + skipped, '=', calls - retries + unsent);
  promise('calls in the metrics are those the provider saw', calls, '=', (await counts(provider)).calls);
}

async function main(folder, running) {
  const { url: provider } = await begun(running, start('node', [`${here}/provider.mjs`, '--latency', '300']));
  const { url: gateway } = await begun(running, serve(scrum, provider, folder));
  const completions = `${gateway}/v1/chat/completions`;
  const slow = (request) => request('latency=1000 tokens=40 gap=10', { stream: true });
  const many = (what) => Promise.all(Array.from({ length: 25 }, what));
  const parts = {
    'the burst': () => burst(gateway, provider),
    'readers of a chat': () => readers('a chat', completions, slow(chat), provider),
    'readers of a thread': async () => readers('a thread', (await thread(gateway)).url, slow(message), provider),
    'clients that leave': () => cancels(gateway, provider),
    'clients that leave a thread': () => thread_cancels(gateway, provider),
    'one that leaves': () => leaver(gateway, provider),
    'one that stalls': () => sluggard(gateway, provider),
    'strangers': () => strangers(gateway, provider),
    'active chats': async () => active('chats', await many(() => ({ url: completions, body: slow(chat) })), provider),
    'active threads': async () => active('threads', await many(async () => ({ url: (await thread(gateway)).url, body: slow(message) })), provider),
    'a provider in trouble': () => trouble(gateway, provider),
    'sums': () => sums(gateway, provider),
  };
  for (const [name, part] of Object.entries(parts)) {
    try { await part(); } catch (error) {
      broken += 1;
      console.log(`FAILED  ${name}: ${error.message.split('\n')[0]}`);
    }
  }
}

async function begun(running, starting) {
  const one = await starting;
  running.push(one);
  return one;
}

const without = needed();
if (without) {
  console.log(`skipped: ${without}`);
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const folder = mkdtempSync(join(tmpdir(), 'scrum-validate-'));
const running = [];
try {
  await main(folder, running);
} finally {
  for (const one of running.reverse()) await one.stop();
  rmSync(folder, { recursive: true });
}
console.log(broken ? `${broken} promises are not kept` : 'all promises are kept');
process.exit(broken ? 1 : 0);
