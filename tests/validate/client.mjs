// What the checks and the benches of the gateway share: programs that listen, and chat calls over plain node:http, timed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A program that prints `listening on URL`; `stop` ends it and waits.
export async function start(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let said = '';
  child.stderr.on('data', (piece) => { said = (said + piece).slice(-4000); });
  const closed = once(child, 'close');
  const url = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (piece) => {
      text += piece;
      const found = /^listening on (\S+)\n/m.exec(text);
      if (found) resolve(found[1]);
    });
    child.on('error', reject);
    closed.then(([status]) => reject(new Error(`${program} ${args.join(' ')}: ended with ${status}: ${said}`)), reject);
    setTimeout(() => reject(new Error(`${program} does not listen: ${said}`)), 20_000).unref();
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const killing = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await closed;
    clearTimeout(killing);
  };
  return { url, pid: child.pid, stop, said: () => said };
}

// Our gateway with one model, `mock`, which is `provider`.
export async function serve(scrum, provider, folder) {
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${folder}/scrum.toml`, configuration(provider));
  const args = ['serve', '--listen', '127.0.0.1:0', '--config', 'scrum.toml', '--store', 'scrum.db'];
  const env = { PATH: process.env.PATH, HOME: folder, MOCK_KEY: 'sk-mock' };
  return start(scrum, args, { cwd: folder, env });
}

function configuration(provider) {
  const reviewer = (id, model) =>
    `[[reviewer]]\nid = "${id}"\nprovider = "openai"\nbase_url = "${provider}/v1"\nmodel = "${model}"\napi_key_env = "MOCK_KEY"\nlineage = "${id}"\n`;
  return `[panel]\nreviewers = ["mock"]\n\n${reviewer('mock', 'mock')}\n${reviewer('perplexity', 'llama-3.1-sonar-small-128k-online')}`;
}

export async function json(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

// One call on a connection of its own, of whose answer nothing is read for `hold` ms. `leave()` closes it; `answer` is
// {status, headers, tokens, done, error, first, total}, times in ms from the start.
export function call(url, body, headers = {}, hold = 0) {
  const begun = performance.now();
  const since = () => performance.now() - begun;
  const got = { status: 0, headers: {}, tokens: [], done: false, error: null, first: null, total: null };
  const payload = JSON.stringify(body);
  const request = http.request(url, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload), ...headers },
  });
  const answer = new Promise((resolve) => {
    const end = (error) => {
      if (error) got.error ??= error.code ?? error.message;
      got.total ??= since();
      resolve(got);
    };
    request.on('error', end);
    request.on('response', (response) => {
      got.status = response.statusCode;
      got.headers = response.headers;
      const streams = response.headers['content-type']?.startsWith('text/event-stream');
      let text = '';
      response.setEncoding('utf8');
      if (hold) setTimeout(() => response.resume(), hold);
      response.on('data', (piece) => {
        text += piece;
        if (streams) text = events(text, got, since);
        else got.first ??= since();
      });
      response.on('end', () => { if (!streams) document(text, got); });
      response.on('error', end);
      response.on('close', () => end());
      if (hold) response.pause();
    });
  });
  request.end(payload);
  return { answer, leave: () => request.destroy() };
}

// Takes whole events off the beginning of `text` and returns the rest.
function events(text, got, since) {
  const parts = text.split('\n\n');
  for (const part of parts.slice(0, -1)) {
    const data = part.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim()).join('\n');
    if (data === '[DONE]') got.done = true;
    else if (data) {
      const event = JSON.parse(data);
      const word = event.choices?.[0]?.delta?.content;
      if (event.error) got.error ??= JSON.stringify(event.error);
      if (word) {
        got.first ??= since();
        got.tokens.push(word.trim().replace(/_+$/, ''));
      }
    }
  }
  return parts.at(-1);
}

function document(text, got) {
  try {
    const body = JSON.parse(text);
    const message = body.choices?.[0]?.message ?? body.message;
    if (body.error) got.error = JSON.stringify(body.error);
    got.tokens = message?.content?.split(' ') ?? [];
    got.done = Boolean(message);
  } catch { got.error ??= `not JSON: ${text.slice(0, 200)}`; }
}

// Whether each of the provider's tokens came, once and in order, and then the end.
export const whole = (got, tokens) =>
  got.status < 300 && !got.error && got.done && got.tokens.length === tokens && got.tokens.every((word, n) => word === `t${n}`);

// The nearest-rank percentile `p` (0 to 1).
export const percentile = (values, p) => [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(p * values.length) - 1)];

let asked = 0;
// A chat request that nobody has made before, told to the provider as `wish` says.
export const chat = (wish, more = {}) => {
  asked += 1;
  return { model: 'mock', messages: [{ role: 'user', content: `${process.pid} ${Date.now()} ${asked} [[${wish}]]` }], ...more };
};

// Milliseconds from when the last of `readers` equal requests left, `after` ms from the start, to when the provider saw it; `null`
// if it did not within 3 s, or saw more than one call.
export async function cancelled(url, provider, body, { readers = 1, after = 300, headers = {} } = {}) {
  const before = await json(`${provider}/counts`);
  const calls = Array.from({ length: readers }, () => call(url, body, headers));
  await sleep(after);
  const left = Date.now();
  for (const one of calls) one.leave();
  await Promise.all(calls.map((one) => one.answer));
  for (let waited = 0; waited < 3000; waited += 10) {
    const now = await json(`${provider}/counts`);
    if (now.calls - before.calls !== 1) return null;
    if (now.aborted > before.aborted) return Math.max(0, now.left_at.at(-1) - left);
    await sleep(10);
  }
  return null;
}
