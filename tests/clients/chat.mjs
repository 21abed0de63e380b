// The official `openai` client for Node at a gateway: says what it got, a line each, as chat.py does.
//
// GATEWAY is the address with /v1. Models `plain` and `claude` must be configured there.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.CLIENTS, "package.json"));
const OpenAI = require("openai");

const tool = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather in a city.",
    strict: true,
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};
const client = new OpenAI({ baseURL: process.env.GATEWAY, apiKey: "of-the-caller", maxRetries: 0, timeout: 60_000 });
const completions = client.chat.completions;
const usageToo = { stream: true, stream_options: { include_usage: true } };

const question = (text) => [{ role: "system", content: "Be brief." }, { role: "user", content: text }];

function told(model, how, { choices: [choice], usage }) {
  const calls = (choice.message.tool_calls ?? []).map((call) => `${call.function.name}(${call.function.arguments})`);
  const said = choice.message.content || calls.join(" ");
  console.log(
    `${model} ${how}: ${said} | ${choice.finish_reason} | ${usage.prompt_tokens} + ${usage.completion_tokens} tokens`,
  );
}

async function refused(model, how, request) {
  try {
    await completions.create({ model, ...request });
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    const wait = error.headers.get("retry-after") ?? "-";
    console.log(`${model} ${how}: ${error.constructor.name} ${error.status} ${error.type} ${error.param ?? "-"} ${wait}`);
  }
}

async function chat(model) {
  told(model, "whole", await completions.create({ model, messages: question("hello"), temperature: 0.5 }));
  const stream = completions.stream({ model, messages: question("hello"), ...usageToo });
  told(model, "stream", await stream.finalChatCompletion());
}

async function call(model) {
  const messages = question("the weather?");
  told(model, "whole call", await completions.create({ model, messages, tools: [tool] }));
  const final = await completions.stream({ model, messages, tools: [tool], ...usageToo }).finalChatCompletion();
  told(model, "stream call", final);
  const made = final.choices[0].message;
  const result = { role: "tool", tool_call_id: made.tool_calls[0].id, content: "rain" };
  told(model, "result", await completions.create({ model, messages: [...messages, made, result], tools: [tool] }));
}

async function broken(model) {
  try {
    for await (const _ of await completions.create({ model, messages: question("break off"), stream: true }));
    console.log(`${model} broken stream: nobody noticed`);
  } catch (error) {
    console.log(`${model} broken stream: an error`);
  }
}

const names = [];
for await (const model of client.models.list()) names.push(model.id);
console.log("models:", names.sort().join(" "));
for (const name of ["plain", "claude"]) {
  await chat(name);
  await call(name);
  await refused(name, "busy", { messages: question("too much") });
  await broken(name);
}
await refused("claude", "untranslatable", { messages: question("hello"), seed: 1 });
await refused("nobody", "unknown", { messages: question("hello") });
