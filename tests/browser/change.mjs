// A made-up change with as many issues as wanted, and eight models that review it: what pages are looked at and tested with.
//
// `change` writes a repository, `panel` starts a server that answers as eight models of seven lineages would, `review` has `scrum`
// review the one with the other. Nothing is left to chance: the same figures make the same change and the same answers.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join } from 'node:path';
import { start } from '../validate/client.mjs';

// Reviewers, how much each of them sees, and how hasty it is.
const MODELS = [
  { id: 'opus', model: 'claude-opus-4-7', sees: 0.62, first: 900, ms: 3100, price: [5, 25] },
  { id: 'sonnet', model: 'claude-sonnet-4-6', sees: 0.5, first: 500, ms: 2000, price: [3, 15] },
  { id: 'gpt', model: 'gpt-5', sees: 0.55, first: 1900, ms: 3600, price: [1.25, 10] },
  { id: 'gemini', model: 'gemini-3-pro', sees: 0.45, first: 700, ms: 2400, price: [2, 12] },
  { id: 'kimi', model: 'moonshotai/kimi-k2-0905', sees: 0.4, first: 300, ms: 1500, price: [0.6, 2.5] },
  { id: 'deepseek', model: 'deepseek-reasoner', sees: 0.42, first: 2500, ms: 4000, price: [0.28, 0.42] },
  { id: 'qwen', model: 'qwen3-coder-480b', sees: 0.33, first: 250, ms: 1100, price: [0.22, 0.95] },
  { id: 'mistral', model: 'devstral-medium', sees: 0.25, first: 200, ms: 900, price: [0.4, 2] },
];

// Each kind: what stands in the code, how severe it is, and three ways to say what is wrong with it.
const KINDS = [
  {
    code: (name) => [`    fee = amount / ${name}.members`, `    ${name}.balance -= amount + fee`],
    severity: 'BLOCK',
    said: ['is divided by the number of members, which is zero for a new account', 'Division by zero when the account has no members yet', 'A new account has zero members, so this divides by zero'],
    why: 'Nothing checks `members` before the division; the request ends with an exception and the transfer stays half done.',
    fix: 'Return early while there are no members.',
  },
  {
    code: (name) => [`    query = "SELECT * FROM ${name} WHERE owner = '" + owner + "'"`, '    rows = database.execute(query)'],
    severity: 'BLOCK',
    said: ['The owner is put into the SQL text unescaped, which lets a caller run any statement', 'SQL injection: `owner` is concatenated into the statement', 'The SQL statement is built by concatenating `owner`, so it can be injected'],
    why: '`owner` comes from the request. A quote in it ends the literal, and what follows is executed.',
    fix: 'Use a placeholder: `database.execute("... WHERE owner = ?", [owner])`.',
  },
  {
    code: (name) => [`    if token == ${name}.token:`, '        session.open(owner)'],
    severity: 'WARN',
    said: ['The token is compared with `==`, which leaks through timing how much of it is right', 'Comparing the token by == is not constant in time and leaks it', 'Token comparison leaks timing; an attacker can guess it byte by byte'],
    why: 'String comparison stops at the first difference, and the difference can be measured over many requests.',
    fix: 'Use `hmac.compare_digest`.',
  },
  {
    code: (name) => [`    ${name}_file = open(path)`, `    total = sum(float(line) for line in ${name}_file)`],
    severity: 'WARN',
    said: ['The file is opened and never closed, so descriptors run out under load', 'File handle leak: nothing closes the opened file', 'The opened file is never closed and leaks a descriptor'],
    why: 'Each call keeps a descriptor until the collector runs. Under load the process reaches its limit.',
    fix: 'Open it in a `with` statement.',
  },
  {
    code: (name) => [`    ${name}.sent = True`, '    mailer.send(owner, message)'],
    severity: 'WARN',
    said: ['It is marked as sent before it is sent, so a failure of the mailer loses the message', 'The sent flag is set before the message is sent; a failing mailer loses it', 'Marked as sent before sending: if the mailer fails the message is lost'],
    why: 'When `mailer.send` raises, the flag stays set and no later run tries again.',
    fix: 'Set the flag after `mailer.send` has returned.',
  },
  {
    code: (name) => [`    started_at = datetime.now()`, `    ${name}.expires = started_at + lifetime`],
    severity: 'INFO',
    said: ['Local time without a zone is stored, which is off by an hour when clocks change', 'A naive datetime is stored; it jumps when daylight saving begins', 'The stored datetime has no zone and shifts with daylight saving'],
    why: 'The row is read on machines in other zones, and by the same one after the clocks have changed.',
    fix: 'Store `datetime.now(timezone.utc)`.',
  },
];

const NOUNS = ['ledger', 'invoice', 'member', 'voucher', 'session', 'device', 'refund', 'carrier', 'parcel', 'tariff'];
const COMPONENTS = ['api', 'billing', 'web', 'worker', 'storage', 'mail'];

// The same for the same words, and otherwise spread evenly over 0 to 1.
function draw(...words) {
  let hash = 2166136261;
  for (const letter of words.join('|')) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
  hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296;
}

// `count` issues, each with its place in a file.
function issues(count) {
  const files = Math.max(1, Math.ceil(count / 7));
  return Array.from({ length: count }, (_, at) => {
    const file = at % files;
    const component = COMPONENTS[file % COMPONENTS.length];
    const noun = NOUNS[Math.floor(draw('noun', at) * NOUNS.length)];
    const kind = KINDS[at % KINDS.length];
    return { at, path: `${component}/${NOUNS[file % NOUNS.length]}_${file + 1}.py`, name: `${noun}_${at + 1}`, kind };
  });
}

// Writes a repository whose last commit has `count` issues; gives them with the lines they stand in.
export function change(folder, count) {
  mkdirSync(folder, { recursive: true });
  const git = (...words) => execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.invalid', ...words], { cwd: folder });
  git('init', '--quiet', '--initial-branch', 'main', '.');
  git('commit', '--quiet', '--allow-empty', '--message', 'Start');
  const all = issues(count);
  const texts = new Map();
  for (const issue of all) {
    const lines = texts.get(issue.path) ?? ['"""Made up."""', ''];
    lines.push(`def settle_${issue.name}(owner, amount, path, token):`, `    ${issue.name} = find("${issue.name}", owner)`);
    issue.line = lines.length + 1;
    issue.code = issue.kind.code(issue.name);
    lines.push(...issue.code, ...Array.from({ length: 18 }, (_, n) => `    audit.note("${issue.name}", step=${n})`), '', '');
    texts.set(issue.path, lines);
  }
  for (const [path, lines] of texts) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), lines.join('\n'));
  }
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Settle accounts');
  return all;
}

// A further commit beside each of the issues.
export function further(folder) {
  const script = "sed -i 's/step=0/step=10/' */*.py && git -c user.name=Ada -c user.email=ada@example.invalid commit --quiet --all --message 'Number the steps anew'";
  execFileSync('sh', ['-c', script], { cwd: folder });
}

// What `model` says about the part of `issues` that `prompt` shows.
function reply(model, issues, prompt) {
  const nonce = /<<<DIFF (\S+)/.exec(prompt)?.[1];
  const shown = issues.filter((issue) => prompt.includes(`+++ b/${issue.path}`));
  const seen = shown.filter((issue) => draw('sees', model.id, issue.at) < model.sees);
  const findings = seen.map((issue) => {
    const { kind } = issue;
    const said = kind.said[Math.floor(draw('said', model.id, issue.at) * 3)];
    const milder = { BLOCK: 'WARN', WARN: 'INFO', INFO: 'INFO' }[kind.severity];
    const severity = draw('severity', model.id, issue.at) < 0.2 ? milder : kind.severity;
    return `SEVERITY: ${severity}\nWHERE: ${issue.path}:${issue.line}\nQUOTE: ${issue.code[0].trim()}\nWHAT: \`${issue.name}\`: ${said}.\nWHY: ${kind.why}\nFIX: ${kind.fix}\n`;
  });
  const blocks = seen.some((issue) => issue.kind.severity === 'BLOCK');
  const verdict = blocks ? 'hold' : seen.length > 0 ? 'ship-with-fixes' : 'ship';
  return `${findings.join('\n')}\nVERDICT: ${verdict}\nEND ${nonce}\n`;
}

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A server of all models. A second of theirs takes `pace` milliseconds. `gate` is waited for before an answer, where it is given;
// `fault` may give an HTTP status in place of an answer.
export async function panel(issues, { pace = 0, gate, fault = () => 0 } = {}) {
  const server = http.createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const { model: name, messages } = JSON.parse(Buffer.concat(pieces));
    const model = MODELS.find((one) => one.model === name);
    const prompt = messages.map((message) => message.content).join('\n');
    const status = fault(model, prompt);
    if (status) {
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"error":{"message":"overloaded"}}');
      return;
    }
    await gate?.(model, prompt);
    const text = reply(model, issues, prompt);
    const hurry = 0.6 + 0.8 * draw('hurry', model.id, prompt.length);
    const part = (ms) => later(((ms * pace) / 1000) * hurry);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = (data) => response.write(`data: ${JSON.stringify(data)}\n\n`);
    await part(model.first);
    event({ choices: [{ index: 0, delta: { content: text.slice(0, 20) }, finish_reason: null }] });
    await part(model.ms - model.first);
    event({ choices: [{ index: 0, delta: { content: text.slice(20) }, finish_reason: 'stop' }] });
    event({ choices: [], usage: { prompt_tokens: Math.ceil(prompt.length / 4), completion_tokens: Math.ceil(text.length / 4) } });
    response.end('data: [DONE]\n\n');
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/v1`, stop: () => server.close() };
}

// What scrum.toml says of the models at `url`.
export function configuration(url) {
  const ids = MODELS.map(({ id }) => `"${id}"`).join(', ');
  const components = COMPONENTS.map((name) => `[[component]]\nname = "${name}"\npaths = ["${name}/**"]\n`);
  const reviewers = MODELS.map(({ id, model, price: [input, output] }) =>
    `[[reviewer]]\nid = "${id}"\nprovider = "openai"\nmodel = "${model}"\nbase_url = "${url}"\nprice = { input = ${input}, output = ${output} }\n`);
  return `[review]\npanel = "all"\n[panel.all]\nreviewers = [${ids}]\n${components.join('')}${reviewers.join('')}`;
}

// Runs `scrum` in `folder`; {status, stdout, stderr}. `variables` are further ones of its environment.
export function run(scrum, folder, words, variables = {}) {
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1', ...variables };
  const options = { cwd: folder, env, maxBuffer: 1 << 28 };
  return new Promise((resolve) => execFile(scrum, words, options, (error, stdout, stderr) => {
    resolve({ status: error ? (error.code ?? 128) : 0, stdout, stderr });
  }));
}

// A repository in `folder` with a run about `count` issues, done by all models.
export async function reviewed(scrum, folder, count, options) {
  const all = change(folder, count);
  const models = await panel(all, options);
  try {
    writeFileSync(join(folder, 'scrum.toml'), configuration(models.url));
    const printed = await run(scrum, folder, ['review', '--quiet', 'HEAD~1..HEAD']);
    if (![0, 1, 3].includes(printed.status)) throw new Error(`scrum review: ${printed.status} ${printed.stderr}`);
  } finally {
    models.stop();
  }
}

// A daemon in `folder`, which holds a repository; `more` is further configuration.
export function daemon(scrum, folder, more) {
  const args = ['serve', '--listen', '127.0.0.1:0', '--config', 'serve.toml', '--store', 'scrum.db'];
  writeFileSync(join(folder, 'serve.toml'), `[serve]\nqueue.busy_percent = 100\n${more}`);
  return start(scrum, args, { cwd: folder, env: { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' } });
}

// Answers wait at the gate of their model until it is opened.
export function gates() {
  const known = new Map();
  let all = false;
  const gate = (name) => {
    if (!known.has(name)) {
      let open;
      const opened = new Promise((resolve) => { open = resolve; });
      known.set(name, { opened, open });
    }
    return known.get(name);
  };
  return {
    wait: (name) => (all ? undefined : gate(name).opened),
    open: (name) => gate(name).open(),
    openAll: () => {
      all = true;
      for (const one of known.values()) one.open();
    },
    closeAll: () => {
      all = false;
      known.clear();
    },
  };
}

// Text that would like to be more than text. Where it was executed, it would call `hacked`, which pages of tests define.
export const HOSTILE = [
  '<img src=x onerror=hacked()>',
  '"><script>hacked()</script>',
  "'-hacked()-'",
  '</style></script><svg onload=hacked()>',
  '<a href="javascript:hacked()">click</a>',
  '{{ hacked() }} {% include "frame.html" %}',
  '</template></dialog><iframe srcdoc="<script>parent.hacked()</script>">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
];

// A run in which everything that a diff, a model or a configuration may name is hostile.
export async function attacked(scrum, folder) {
  mkdirSync(folder, { recursive: true });
  const git = (...words) => execFileSync('git', ['-c', 'user.name=<b>Ada</b>', '-c', 'user.email=ada@example.invalid', ...words], { cwd: folder });
  git('init', '--quiet', '--initial-branch', 'main', '.');
  git('commit', '--quiet', '--allow-empty', '--message', 'Start');
  const paths = HOSTILE.map((text, at) => `${at}/${text.replaceAll('/', '\u2215')}.py`);
  paths.forEach((path, at) => {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), `x = 1\ny = "${HOSTILE[at]}"\nz = 3\n`);
  });
  git('add', '--all');
  git('commit', '--quiet', '--message', HOSTILE[0]);
  const said = (text, path) =>
    `SEVERITY: BLOCK\nWHERE: ${path}:2\nQUOTE: ${text}\nWHAT: ${text} and \`${text}\` are wrong.\nWHY: ${text}\n\n\`\`\`html\n${text}\n\`\`\`\nFIX: ${text}\n`;
  const reviewers = ['one', 'two', 'three'].map((id, at) => {
    mkdirSync(join(folder, 'replies'), { recursive: true });
    const findings = HOSTILE.map((text, number) => said(text, paths[number]));
    const nowhere = said(HOSTILE[at], HOSTILE[at + 1]);
    const reject = `SEVERITY: ${HOSTILE[at]}\nWHERE: ${HOSTILE[at]}\n`;
    // The last one cannot be asked: why is told with its name.
    if (id !== 'three') writeFileSync(join(folder, `replies/${id}.md`), `${findings.join('\n')}\n${nowhere}\n${reject}\nVERDICT: hold, ${HOSTILE[at]}\n`);
    return `[[reviewer]]\nid = "${id}"\nprovider = "replay"\nmodel = ${JSON.stringify(HOSTILE[at])}\nlineage = ${JSON.stringify(HOSTILE[at + 3])}\ndir = "replies"\n`;
  });
  writeFileSync(join(folder, 'scrum.toml'), `[review]\npanel = "all"\n[panel.all]\nreviewers = ["one", "two", "three"]\n${reviewers.join('')}`);
  const printed = await run(scrum, folder, ['review', '--quiet', 'HEAD~1..HEAD']);
  if (![0, 1, 3].includes(printed.status)) throw new Error(`scrum review: ${printed.status} ${printed.stderr}`);
}
