//! A provider that speaks both APIs and answers the same in each: [`start`].

use serde_json::{Value, json};

use crate::mock::{Act, Asked, Mock, json_page};

/// What it answers.
enum Answer {
    Text(&'static str),
    /// The call of a tool.
    Call(&'static str, Value),
    /// Not now.
    Busy,
    /// Half an answer.
    Half,
}

/// The provider.
pub(crate) async fn start() -> Mock {
    Mock::start(|asked| std::future::ready(answer(&asked))).await
}

fn answer(asked: &Asked) -> Act {
    let stream = asked.body["stream"] == true;
    match (asked.path.as_str(), to(&asked.body)) {
        ("/v1/chat/completions", answer) => chat(&answer, stream),
        ("/v1/messages", answer) => messages(&answer, stream),
        (path, _) => json_page(404, &json!({ "error": { "message": path } })),
    }
}

/// What is answered to a conversation, whichever API it is of.
fn to(body: &Value) -> Answer {
    let said = body["messages"].to_string();
    let has = |words: &str| said.contains(words);
    let has_result = has(r#""role":"tool""#) || has(r#""type":"tool_result""#);
    let file = said.split("FILE=").nth(1).and_then(|rest| rest.split(['"', '\\']).next());
    match (file, has_result) {
        (Some(_), true) => Answer::Text("it is written"),
        (Some(file), false) => {
            Answer::Call("write_file", json!({ "file_path": file, "content": "by the agent\n" }))
        }
        (None, true) => Answer::Text("it rains"),
        (None, false) if has("weather") => Answer::Call("weather", json!({ "city": "Oslo" })),
        (None, false) if has("too much") => Answer::Busy,
        (None, false) if has("break off") => Answer::Half,
        (None, false) => Answer::Text("hello there"),
    }
}

fn busy(error: &Value) -> Act {
    let headers = vec![("content-type", "application/json".to_owned()), ("retry-after", "7".to_owned())];
    Act::Page { status: 429, headers, body: error.to_string() }
}

fn chat(answer: &Answer, stream: bool) -> Act {
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10 });
    let call = |name: &str, arguments: &Value| {
        let function = json!({ "name": name, "arguments": arguments.to_string() });
        json!([{ "index": 0, "id": "call_1", "type": "function", "function": function }])
    };
    let (message, finish) = match answer {
        Answer::Text(text) => (json!({ "role": "assistant", "content": text }), "stop"),
        Answer::Call(name, arguments) => (
            json!({ "role": "assistant", "content": null, "tool_calls": call(name, arguments) }),
            "tool_calls",
        ),
        Answer::Busy => {
            return busy(&json!({ "error": { "message": "slow down", "type": "rate_limit_error" } }));
        }
        Answer::Half => (json!({ "role": "assistant", "content": "half" }), "stop"),
    };
    let whole = |object: &str, choices: Value| json!({ "id": "c", "object": object, "created": 1, "model": "plain", "choices": choices });
    if !stream {
        let choice = json!([{ "index": 0, "message": message, "finish_reason": finish }]);
        let mut whole = whole("chat.completion", choice);
        whole["usage"] = usage;
        return json_page(200, &whole);
    }
    let chunk =
        |choices: Value| format!("data: {}\n\n", whole("chat.completion.chunk", choices)).into_bytes();
    let first = chunk(json!([{ "index": 0, "delta": message, "finish_reason": null }]));
    if matches!(answer, Answer::Half) {
        return Act::Cut(vec![first]);
    }
    let last = chunk(json!([{ "index": 0, "delta": {}, "finish_reason": finish }]));
    let mut counts = whole("chat.completion.chunk", json!([]));
    counts["usage"] = usage;
    Act::Stream(vec![first, last, format!("data: {counts}\n\ndata: [DONE]\n\n").into_bytes()])
}

fn messages(answer: &Answer, stream: bool) -> Act {
    let (block, stop) = match answer {
        Answer::Text(text) => (json!({ "type": "text", "text": text }), "end_turn"),
        Answer::Call(name, input) => {
            (json!({ "type": "tool_use", "id": "toolu_1", "name": name, "input": input }), "tool_use")
        }
        Answer::Busy => {
            let error = json!({ "type": "rate_limit_error", "message": "slow down" });
            return busy(&json!({ "type": "error", "error": error }));
        }
        Answer::Half => (json!({ "type": "text", "text": "half" }), "end_turn"),
    };
    let message = |content: Value, stop: Option<&str>, output: u64| {
        let usage = json!({ "input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": output });
        json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content,
            "stop_reason": stop, "stop_sequence": null, "usage": usage })
    };
    if !stream {
        return json_page(200, &message(json!([block]), Some(stop), 3));
    }
    let (empty, delta) = begun(&block);
    let mut events = vec![
        json!({ "type": "message_start", "message": message(json!([]), None, 1) }),
        json!({ "type": "content_block_start", "index": 0, "content_block": empty }),
        json!({ "type": "ping" }),
        json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": stop }, "usage": { "output_tokens": 3 } }),
        json!({ "type": "message_stop" }),
    ];
    if matches!(answer, Answer::Half) {
        let error = json!({ "type": "overloaded_error", "message": "Overloaded" });
        events.splice(4.., [json!({ "type": "error", "error": error })]);
    }
    let told =
        |event: Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()).into_bytes();
    Act::Stream(events.into_iter().map(told).collect())
}

/// A block as a stream begins it, and the rest of it.
fn begun(block: &Value) -> (Value, Value) {
    let mut empty = block.clone();
    if block["type"] == "text" {
        empty["text"] = json!("");
        return (empty, json!({ "type": "text_delta", "text": block["text"] }));
    }
    empty["input"] = json!({});
    (empty, json!({ "type": "input_json_delta", "partial_json": block["input"].to_string() }))
}
