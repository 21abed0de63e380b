// A provider for checks and benches: answers chat completions as it is told, and counts. Needs only node.
//
//   node tests/validate/provider.mjs [--port 0] [--latency 50] [--tokens 20] [--gap 10]
//
// Prints `listening on http://ADDR`. `POST …/chat/completions` is answered after `latency` ms: with one JSON document, or with
// an event for each token, `gap` ms apart. Tokens are t0, t1, …: a reader can tell that it got each of them, once and in order.
// The last message may change one call, for gateways leave its text alone: [[latency=200 tokens=500 gap=10 status=429 cut=5]].
//   status=N  that error instead of an answer, with `retry-after: 1` if N is 429
//   cut=N     the connection is lost after N tokens
//   size=N    each token has N bytes more
// `GET /counts` tells {calls, active, most_active, aborted, left_at}: `aborted` are calls that whoever asked gave up before
// their end, `left_at` when each of them did (ms since 1970).
import http from 'node:http';
import { parseArgs } from 'node:util';

const number = (fallback) => ({ type: 'string', default: String(fallback) });
const { values } = parseArgs({ options: { port: number(0), latency: number(50), tokens: number(20), gap: number(10) } });
const { port, ...usual } = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
const counts = { calls: 0, active: 0, most_active: 0, aborted: 0, left_at: [] };

function wishes(body) {
  const last = JSON.stringify(body.messages?.at(-1)?.content ?? '');
  const pairs = (/\[\[([^\]]*)\]\]/.exec(last)?.[1] ?? '').split(/\s+/).filter(Boolean);
  return { ...usual, ...Object.fromEntries(pairs.map((pair) => pair.split('=')).map(([name, value]) => [name, Number(value)])) };
}

const json = (response, status, value, headers = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

// Counts the call until it ends, and calls `ended` if that is before its time.
function counted(response, ended) {
  counts.calls += 1;
  counts.active += 1;
  counts.most_active = Math.max(counts.most_active, counts.active);
  let whole = false;
  response.on('close', () => {
    counts.active -= 1;
    ended();
    if (!whole) {
      counts.aborted += 1;
      counts.left_at.push(Date.now());
    }
  });
  return () => { whole = true; };
}

function answer(response, body) {
  const wish = wishes(body);
  let timer;
  const whole = counted(response, () => clearTimeout(timer));
  const later = (ms, then) => { if (ms > 0) timer = setTimeout(then, ms); else then(); };
  const head = { id: `chatcmpl-${counts.calls}`, created: 1700000000, model: body.model };
  const usage = { prompt_tokens: 8, completion_tokens: wish.tokens, total_tokens: 8 + wish.tokens };
  later(wish.latency, () => {
    if (wish.status) {
      whole();
      const error = { message: `status ${wish.status} was asked for`, type: 'mock', param: null, code: null };
      json(response, wish.status, { error }, wish.status === 429 ? { 'retry-after': '1' } : {});
    } else if (body.stream) {
      const asked = body.stream_options?.include_usage ? { usage } : {};
      stream(response, { ...head, object: 'chat.completion.chunk' }, wish, asked, later, whole);
    } else {
      whole();
      const content = Array.from({ length: wish.tokens }, (_, n) => `t${n}`).join(' ');
      const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' };
      json(response, 200, { ...head, object: 'chat.completion', choices: [choice], usage });
    }
  });
}

function stream(response, head, wish, usage, later, whole) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const event = (delta, finish_reason, more) => {
    const choices = [{ index: 0, delta, finish_reason }];
    response.write(`data: ${JSON.stringify({ ...head, choices, ...more })}\n\n`);
  };
  const token = (n) => {
    if (n === wish.cut) {
      whole();
      response.destroy();
    } else if (n < wish.tokens) {
      const text = `t${n}${'_'.repeat(wish.size ?? 0)}`;
      event(n === 0 ? { role: 'assistant', content: text } : { content: ` ${text}` }, null);
      later(wish.gap, () => token(n + 1));
    } else {
      event({}, 'stop', usage);
      whole();
      response.end('data: [DONE]\n\n');
    }
  };
  token(0);
}

const server = http.createServer((request, response) => {
  if (request.method === 'GET') {
    const models = { object: 'list', data: [{ id: 'mock', object: 'model', created: 1700000000, owned_by: 'mock' }] };
    return json(response, 200, request.url === '/counts' ? counts : models);
  }
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece)).on('end', () => {
    let body;
    try { body = JSON.parse(Buffer.concat(pieces)); } catch { return json(response, 400, { error: { message: 'not JSON' } }); }
    answer(response, body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
