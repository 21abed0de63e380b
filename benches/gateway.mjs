// What a gateway adds between client and provider: `scrum serve` beside the same requests sent to the provider directly, and beside other
// gateways that somebody has started.
//
//   cargo build --release && node benches/gateway.mjs [--seconds 10] [--rounds 3] [--scrum PATH] [--port 9100] [--beside NAME=URL,PID]…
//
// Needs node and wrk on Linux; clients, gateways and the provider (tests/validate/provider.mjs, on `port`) are processes of one machine.
// A gateway to compare passes `POST URL` on to http://127.0.0.1:9100/v1/chat/completions, model `mock`; processor and memory are those of PID and
// its children. Rounds alternate between all sides and the one with the least p95 counts, so every figure has its yardstick, `direct`, from
// the same minutes. Prints Markdown; what is wished for, and whether it is met, is in the last table.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { call, cancelled, chat, json, percentile, serve, sleep, start, whole } from '../tests/validate/client.mjs';

const root = resolve(import.meta.dirname, '..');
const text = (fallback) => ({ type: 'string', default: fallback });
const options = {
  seconds: text('10'),
  rounds: text('3'),
  scrum: text(`${root}/target/release/scrum`),
  port: text('9100'),
  beside: { type: 'string', multiple: true, default: [] },
};
const { values: given } = parseArgs({ options });
const [seconds, rounds] = [Number(given.seconds), Number(given.rounds)];
const key = { authorization: 'Bearer sk-bench' };

// wrk's script: bodies of 1 KB that all differ; `wish` is told to the provider.
const script = (wish, stream) => `
local n, run = 0, ""
function init()
  math.randomseed(os.time())
  run = tostring(math.random(1, 1e9))
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
  wrk.headers["authorization"] = "${key.authorization}"
end
local padding = string.rep("x", 1000)
function request()
  n = n + 1
  return wrk.format(nil, nil, nil, '{"model":"mock","stream":${stream},"messages":[{"role":"user","content":"' .. run .. "-" .. n .. " " .. padding .. ' [[${wish}]]"}]}')
end
function done(summary, latency)
  local e = summary.errors
  print(string.format('{"requests":%d,"rps":%.0f,"p50":%.2f,"p95":%.2f,"failed":%d}', summary.requests, summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, e.status + e.connect + e.read + e.write + e.timeout))
end`;

const fields = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop().split(' ');

// A process and all that it started.
function family(pid) {
  const parents = new Map();
  for (const one of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try { parents.set(one, fields(one)[1]); } catch { /* gone */ }
  }
  const found = [String(pid)];
  for (const one of found) found.push(...[...parents].filter(([, parent]) => parent === one).map(([child]) => child));
  return found;
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
// Seconds of processor so far.
const processor = (pid) => sum(family(pid).map((one) => (Number(fields(one)[11]) + Number(fields(one)[12])) / 100));
// Proportional share of memory in MB.
const memory = (pid) => sum(family(pid).map((one) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))[1]) / 1024));

function load(folder, { url, pid }, { wish, stream = false, connections }, seconds) {
  writeFileSync(`${folder}/load.lua`, script(wish, stream));
  const before = pid ? processor(pid) : 0;
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', `${folder}/load.lua`, url];
  const got = JSON.parse(execFileSync('wrk', args, { encoding: 'utf8' }).trim().split('\n').pop());
  return { ...got, processor: pid ? ((processor(pid) - before) * 1000) / got.requests : 0, memory: pid ? memory(pid) : 0 };
}

const short = (value) => (Number.isFinite(value) ? value.toFixed(1) : 'never');
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
function header(...cells) {
  console.log();
  row(...cells);
  row(...cells.map((_, n) => (n ? '---:' : '---')));
}

const KINDS = [
  { wish: 'latency=50', connections: 10 },
  { wish: 'latency=50', connections: 100 },
  { wish: 'latency=50 tokens=20 gap=10', stream: true, connections: 50 },
  { wish: 'latency=0', connections: 100 },
];

// What each side takes for distinct requests: the best round of each kind, by name.
function distinct(folder, sides) {
  const best = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (const [at, kind] of KINDS.entries()) {
    for (const side of Object.values(sides)) load(folder, side, kind, 2);
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, side] of Object.entries(sides)) {
        const got = load(folder, side, kind, seconds);
        const had = best[name][at];
        best[name][at] = { ...(!had || got.p95 < had.p95 ? got : had), failed: got.failed + (had?.failed ?? 0) };
      }
    }
  }
  header('every request another', '10 at once, p50 / p95 ms', '100 at once, p50 / p95 ms', 'streams, 50 at once, p50 ms', 'provider of 0 ms, requests/s', 'CPU ms a request', 'memory MB', 'failed');
  for (const [name, [ten, hundred, streams, quick]] of Object.entries(best)) {
    const times = (one) => `${short(one.p50)} / ${short(one.p95)}`;
    const failed = sum([ten, hundred, streams, quick].map((one) => one.failed));
    const own = sides[name].pid ? [`${ten.processor.toFixed(2)}, ${hundred.processor.toFixed(2)}`, short(quick.memory)] : ['', ''];
    row(name, times(ten), times(hundred), short(streams.p50), quick.rps, ...own, failed);
  }
  return best;
}

// What the provider has counted, once nobody asks it any more; at most half a minute later.
async function settled(provider) {
  for (let waited = 0; ; waited += 100) {
    const counts = await json(`${provider}/counts`);
    if (!counts.active || waited >= 30_000) return counts;
    await sleep(100);
  }
}

// Fifty equal requests; `over` ms from the first to the last.
async function together({ url }, provider, { stream = false, over = 0, wish = 'latency=50 tokens=20 gap=10' }) {
  const before = await settled(provider);
  const body = chat(wish, { stream });
  const answers = Array.from({ length: 50 }, async (_, n) => {
    await sleep((over * n) / 50);
    return { late: n >= 25, ...(await call(url, body, key).answer) };
  });
  const got = await Promise.all(answers);
  const calls = (await json(`${provider}/counts`)).calls - before.calls;
  const firsts = got.filter((one) => !over || one.late).map((one) => one.first ?? Infinity);
  const complete = got.filter((one) => whole(one, 20)).length;
  return { calls, complete, first: percentile(firsts, 0.5), last: Math.max(...got.map((one) => one.total)) };
}

const STAGES = [['latency=5000', {}], ['latency=5000', { stream: true }], ['tokens=500', { stream: true }]];

// What each side does with equal requests, and with clients that leave; by name.
async function equal(sides, provider) {
  header('50 equal requests', 'calls JSON, stream', 'first token ms JSON, stream', 'calls, first token ms of those who come while it streams', 'complete of 150', 'provider breaks off: calls, last client after ms', 'client leaves: call cancelled after ms (JSON, before the first token, half way)');
  const found = {};
  for (const [name, side] of Object.entries(sides)) {
    await together(side, provider, { stream: true });
    const whole = await together(side, provider, {});
    const stream = await together(side, provider, { stream: true });
    const late = await together(side, provider, { stream: true, over: 150 });
    const cut = await together(side, provider, { stream: true, wish: 'latency=50 tokens=20 gap=10 cut=5' });
    const left = [];
    for (const [wish, more] of STAGES) {
      const delays = [];
      await settled(provider);
      for (let n = 0; n < 3; n += 1) delays.push((await cancelled(side.url, provider, chat(wish, more), { headers: key })) ?? Infinity);
      left.push(Math.max(...delays));
    }
    found[name] = { whole, stream, late, left };
    const complete = whole.complete + stream.complete + late.complete;
    row(name, `${whole.calls}, ${stream.calls}`, `${short(whole.first)}, ${short(stream.first)}`, `${late.calls}, ${short(late.first)}`, complete, `${cut.calls}, ${short(cut.last)}`, left.map((one) => (Number.isFinite(one) ? one : 'never')).join(', '));
  }
  return found;
}

function wishes(folder, gateway, alone, shared) {
  header('wishes', 'measured', 'at most', '');
  const judge = (name, value, bound, digits = 1) => row(name, value.toFixed(digits), bound, value <= bound ? 'met' : '**not met**');
  for (const [at, connections] of [[0, 10], [1, 100]]) {
    judge(`${connections} at once: p50 above direct, ms`, alone.scrum[at].p50 - alone.direct[at].p50, 1);
    judge(`${connections} at once: p95 above direct, ms`, alone.scrum[at].p95 - alone.direct[at].p95, 6);
    judge(`${connections} at once: processor, ms a request`, alone.scrum[at].processor, 0.2, 3);
  }
  judge('calls for 50 equal requests: JSON, stream, arrivals over 150 ms; the most', Math.max(shared.whole.calls, shared.stream.calls, shared.late.calls), 1, 0);
  judge('of their 150 answers not complete', 150 - shared.whole.complete - shared.stream.complete - shared.late.complete, 0, 0);
  judge('first token of those who come while it streams, p50 ms', shared.late.first, 10);
  judge('the last listener leaves: call cancelled within, ms', Math.max(...shared.left), 50);
  let requests = 0;
  for (const goal of [1e5, 2e5, 5e5, 1e6]) {
    while (requests < goal) requests += load(folder, gateway, { wish: 'latency=0', connections: 50 }, 5).requests;
    judge(`memory (PSS) after ${requests.toLocaleString('en')} more requests that all differ, MB`, memory(gateway.pid), 80);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'scrum-gateway-'));
const running = [];
try {
  const provider = await start('node', [`${root}/tests/validate/provider.mjs`, '--port', given.port]);
  running.push(provider);
  const served = await serve(resolve(given.scrum), provider.url, folder);
  running.push(served);
  const path = '/v1/chat/completions';
  const sides = { direct: { url: provider.url + path }, scrum: { url: served.url + path, pid: served.pid } };
  for (const one of given.beside) {
    const [, name, url, pid] = /^([^=]+)=(.*),(\d+)$/.exec(one);
    sides[name] = { url, pid: Number(pid) };
  }
  console.log(`scrum before its first request: ${short(memory(served.pid))} MB`);
  const alone = distinct(folder, sides);
  const { scrum: shared } = await equal(sides, provider.url);
  wishes(folder, sides.scrum, alone, shared);
} finally {
  for (const one of running.reverse()) await one.stop();
  rmSync(folder, { recursive: true });
}
