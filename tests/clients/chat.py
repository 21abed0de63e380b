"""The official `openai` client for Python at a gateway: says what it got, a line each, as chat.mjs does.

GATEWAY is the address with /v1. Models `plain` and `claude` must be configured there.
"""

import os

import openai

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}

client = openai.OpenAI(base_url=os.environ["GATEWAY"], api_key="of-the-caller", max_retries=0, timeout=60)


def question(text):
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


def told(model, how, completion):
    choice, usage = completion.choices[0], completion.usage
    content = choice.message.content
    calls = [f"{call.function.name}({call.function.arguments})" for call in choice.message.tool_calls or []]
    said = content if content else " ".join(calls)
    print(f"{model} {how}: {said} | {choice.finish_reason} | {usage.prompt_tokens} + {usage.completion_tokens} tokens")


def refused(model, how, **request):
    try:
        client.chat.completions.create(model=model, **request)
    except openai.APIStatusError as error:
        wait = error.response.headers.get("retry-after", "-")
        print(f"{model} {how}: {type(error).__name__} {error.status_code} {error.type} {error.param or '-'} {wait}")
    except openai.APIError as error:
        print(f"{model} {how}: {error.message}")


def chat(model):
    whole = client.chat.completions.create(model=model, messages=question("hello"), temperature=0.5)
    told(model, "whole", whole)
    options = {"include_usage": True}
    with client.chat.completions.stream(model=model, messages=question("hello"), stream_options=options) as stream:
        told(model, "stream", stream.get_final_completion())


def call(model):
    messages = question("the weather?")
    asked = client.chat.completions.create(model=model, messages=messages, tools=[TOOL])
    told(model, "whole call", asked)
    options = {"include_usage": True}
    with client.chat.completions.stream(
        model=model, messages=messages, tools=[TOOL], stream_options=options
    ) as stream:
        final = stream.get_final_completion()
    told(model, "stream call", final)
    made = final.choices[0].message
    result = {"role": "tool", "tool_call_id": made.tool_calls[0].id, "content": "rain"}
    told(model, "result", client.chat.completions.create(model=model, messages=[*messages, made, result], tools=[TOOL]))


def broken(model):
    try:
        for _ in client.chat.completions.create(model=model, messages=question("break off"), stream=True):
            pass
        print(f"{model} broken stream: nobody noticed")
    except openai.APIError:
        print(f"{model} broken stream: an error")


print("models:", " ".join(sorted(model.id for model in client.models.list())))
for name in ["plain", "claude"]:
    chat(name)
    call(name)
    refused(name, "busy", messages=question("too much"))
    broken(name)
refused("claude", "untranslatable", messages=question("hello"), seed=1)
refused("nobody", "unknown", messages=question("hello"))
