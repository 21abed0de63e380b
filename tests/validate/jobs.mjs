// What the checks and the benches of the queue share: a daemon without models, jobs over plain node:http, and its metrics.
import http from 'node:http';
import { mkdirSync, writeFileSync } from 'node:fs';
import { percentile, start } from './client.mjs';

const FINAL = ['succeeded', 'failed', 'cancelled', 'timed_out'];

// A daemon of its own folder, with `settings` for [serve.queue]; `more` is further configuration.
export function serve(scrum, folder, { settings = '', more = '', store = 'scrum.db' } = {}) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/scrum.toml`, `[serve]\n[serve.queue]\n${settings}\n${more}\n`);
  const args = ['serve', '--listen', '127.0.0.1:0', '--config', 'scrum.toml', '--store', store];
  return start(scrum, args, { cwd: folder, env: { PATH: process.env.PATH, HOME: folder } });
}

// One client: `most` connections that are kept.
export const client = (most = 64) => new http.Agent({ keepAlive: true, maxSockets: most, noDelay: true });

// A request; {status, headers, text}. `seen` is given what has come so far, and ends the reading by saying true.
export function ask(agent, method, url, body, seen) {
  const payload = body === undefined ? '' : JSON.stringify(body);
  const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      const done = () => resolve({ status: response.statusCode, headers: response.headers, text });
      response.on('data', (piece) => {
        text += piece;
        if (seen?.(text)) done();
      });
      response.on('end', done);
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(payload);
  });
}

export const bring = (agent, url, order) => ask(agent, 'POST', `${url}/queue/enqueue`, order);
export const cancel = (agent, url, id) => ask(agent, 'DELETE', `${url}/queue/cancel/${id}`);
export const job = async (agent, url, id) => JSON.parse((await ask(agent, 'GET', `${url}/queue/jobs/${id}`)).text);

const state = new RegExp('^event: job\\ndata: .*?"state":"([a-z_]+)"', 'gm');
const states = (text) => [...text.matchAll(state)].map(([, word]) => word);

// Waits until a job is in one of `wanted`, by its events; gives that state, or null if the stream ends before.
export async function until(agent, url, id, wanted = FINAL) {
  const reached = (text) => states(text).find((word) => wanted.includes(word));
  const { text } = await ask(agent, 'GET', `${url}/queue/jobs/${id}/events`, undefined, reached);
  return reached(text) ?? null;
}

// Brings a job and waits for its end: {state, ms}, from when it was sent to when its end was heard of.
export async function whole(agent, url, order) {
  const begun = performance.now();
  const brought = await bring(agent, url, order);
  const end = brought.status === 201 ? await until(agent, url, JSON.parse(brought.text).id) : `status ${brought.status}`;
  return { state: end, ms: performance.now() - begun };
}

// One round as in the founding figures: `clients` bring `each` jobs at once. {ms, p95, succeeded, jobs}
export async function round(agents, url, each, order = { kind: 'noop' }) {
  const begun = performance.now();
  const jobs = await Promise.all(agents.flatMap((agent) => Array.from({ length: each }, () => whole(agent, url, order))));
  const times = jobs.map((one) => one.ms);
  const succeeded = jobs.filter((one) => one.state === 'succeeded').length;
  return { ms: performance.now() - begun, p95: percentile(times, 0.95), times, succeeded, jobs: jobs.length };
}

// The metrics: `of(name, labels)` is the sum of all series that have these labels, or undefined if there is none.
export async function metrics(agent, url) {
  const { text } = await ask(agent, 'GET', `${url}/metrics`);
  const series = text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
    const [, name, labels, value] = /^([a-z_:0-9]+)(?:\{(.*)\})? (\S+)$/i.exec(line);
    return { name, labels: Object.fromEntries([...(labels ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key, word]) => [key, word])), value: Number(value) };
  });
  const of = (name, labels = {}) => {
    const found = series.filter((one) => one.name === name && Object.entries(labels).every(([key, word]) => one.labels[key] === word));
    return found.length ? found.reduce((total, one) => total + one.value, 0) : undefined;
  };
  return { text, of };
}
