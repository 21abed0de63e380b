//! Requests there, answers back, whole and as a stream.

#![expect(clippy::needless_pass_by_value, reason = "cases are written where they are used")]

use http::StatusCode;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod asking {
    use super::*;

    fn asked(chat: &Value) -> Result<Value, Untranslatable> {
        let body = request(chat.to_string().as_bytes(), 32_000)?;
        Ok(serde_json::from_slice(&body).unwrap())
    }

    /// `chat` beside a question becomes `expect` beside the question and a limit.
    fn check(chat: Value, expect: Value) {
        let mut whole = json!({ "model": "m", "messages": [{ "role": "user", "content": "q" }] });
        whole.as_object_mut().unwrap().extend(chat.as_object().unwrap().clone());
        let question = json!([{ "role": "user", "content": [{ "type": "text", "text": "q" }] }]);
        let mut wanted = json!({ "model": "m", "max_tokens": 32_000, "messages": question });
        wanted.as_object_mut().unwrap().extend(expect.as_object().unwrap().clone());
        assert_eq!(asked(&whole), Ok(wanted), "{chat}");
    }

    fn refused(chat: Value, parameter: &str) {
        let mut whole = json!({ "model": "m", "messages": [{ "role": "user", "content": "q" }] });
        whole.as_object_mut().unwrap().extend(chat.as_object().unwrap().clone());
        let error = asked(&whole).unwrap_err();
        assert_eq!(error.parameter, parameter, "{chat}");
        assert!(error.reason.starts_with(parameter), "{error}");
    }

    fn conversation(messages: Value, expect: Value) {
        let mut wanted = json!({ "model": "m", "max_tokens": 32_000 });
        wanted.as_object_mut().unwrap().extend(expect.as_object().unwrap().clone());
        assert_eq!(asked(&json!({ "model": "m", "messages": messages })), Ok(wanted), "{messages}");
    }

    fn text(text: &str) -> Value {
        json!({ "type": "text", "text": text })
    }

    #[test]
    fn parameters_with_a_counterpart() {
        check(json!({}), json!({}));
        check(json!({ "max_tokens": 7 }), json!({ "max_tokens": 7 }));
        check(json!({ "max_tokens": 7, "max_completion_tokens": 9 }), json!({ "max_tokens": 9 }));
        check(
            json!({ "max_tokens": null, "stop": null, "seed": null, "n": null, "stream": null }),
            json!({}),
        );
        check(json!({ "temperature": 0.3, "top_p": 0.9 }), json!({ "temperature": 0.3, "top_p": 0.9 }));
        check(json!({ "stop": "END" }), json!({ "stop_sequences": ["END"] }));
        check(json!({ "stop": ["a", "b"] }), json!({ "stop_sequences": ["a", "b"] }));
        check(json!({ "stream": true }), json!({ "stream": true }));
        check(json!({ "user": "u" }), json!({ "metadata": { "user_id": "u" } }));
        check(json!({ "safety_identifier": "s" }), json!({ "metadata": { "user_id": "s" } }));
        check(
            json!({ "metadata": { "user_id": "own" }, "user": "u" }),
            json!({ "metadata": { "user_id": "own" } }),
        );
        check(json!({ "reasoning_effort": "high" }), json!({ "output_config": { "effort": "high" } }));
        check(json!({ "reasoning_effort": "none" }), json!({ "thinking": { "type": "disabled" } }));
        check(
            json!({ "reasoning_effort": "low", "output_config": { "effort": "max" } }),
            json!({ "output_config": { "effort": "max" } }),
        );
        check(
            json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "x", "schema": { "type": "object" } } } }),
            json!({ "output_config": { "format": { "type": "json_schema", "schema": { "type": "object" } } } }),
        );
        check(json!({ "service_tier": "auto" }), json!({ "service_tier": "auto" }));
    }

    #[test]
    fn what_changes_nothing_is_left_out() {
        for idle in [
            json!({ "n": 1, "logprobs": false, "store": false, "logit_bias": {}, "functions": [] }),
            json!({ "frequency_penalty": 0, "presence_penalty": 0.0, "top_logprobs": 0 }),
            json!({ "modalities": ["text"], "verbosity": "medium", "response_format": { "type": "text" } }),
            json!({ "stream_options": { "include_usage": true }, "prediction": { "type": "content", "content": "x" } }),
            json!({ "prompt_cache_key": "k", "prompt_cache_retention": "24h", "service_tier": "flex" }),
            json!({ "metadata": { "team": "a" }, "tools": [], "tool_choice": "auto", "parallel_tool_calls": false }),
        ] {
            check(idle, json!({}));
        }
    }

    #[test]
    fn what_changes_the_answer_is_refused_by_name() {
        for (name, value) in [
            ("n", json!(2)),
            ("seed", json!(1)),
            ("logprobs", json!(true)),
            ("top_logprobs", json!(3)),
            ("logit_bias", json!({ "50256": -100 })),
            ("frequency_penalty", json!(0.1)),
            ("presence_penalty", json!(-1)),
            ("temperature", json!(1.01)),
            ("modalities", json!(["text", "audio"])),
            ("audio", json!({ "voice": "ash" })),
            ("store", json!(true)),
            ("verbosity", json!("low")),
            ("functions", json!([{ "name": "f" }])),
            ("function_call", json!("auto")),
            ("web_search_options", json!({})),
            ("moderation", json!({ "model": "m" })),
            ("reasoning_effort", json!("minimal")),
            ("response_format", json!({ "type": "json_object" })),
            ("messages", json!("q")),
            ("tools", json!({})),
            ("tool_choice", json!("sometimes")),
            ("tool_choice", json!({ "type": "allowed_tools", "allowed_tools": {} })),
        ] {
            refused(json!({ name: value }), name);
        }
        refused(
            json!({ "response_format": { "type": "json_schema", "json_schema": {} } }),
            "response_format.json_schema.schema",
        );
        refused(json!({ "tools": [{ "type": "custom", "custom": { "name": "grep" } }] }), "tools[0].custom");
        refused(json!({ "messages": [{ "role": "function", "name": "f" }] }), "messages[0].role");
        refused(json!({ "messages": [{ "role": "user", "content": 3 }] }), "messages[0].content");
        refused(json!({ "messages": ["q"] }), "messages[0]");
        let part = |part: Value| json!({ "messages": [{ "role": "user", "content": [part] }] });
        refused(part(json!({ "type": "input_audio", "input_audio": {} })), "messages[0].content[0]");
        refused(part(json!({ "text": "no type" })), "messages[0].content[0].type");
        let image = json!({ "type": "image_url", "image_url": { "url": "file:///etc/passwd" } });
        refused(part(image), "messages[0].content[0].image_url.url");
        let file = json!({ "type": "file", "file": { "file_id": "f" } });
        refused(part(file), "messages[0].content[0].file.file_data");
        let call = |made: Value| json!({ "messages": [{ "role": "assistant", "tool_calls": [made] }] });
        let torn = json!({ "id": "a", "function": { "name": "f", "arguments": "{\"x\":" } });
        refused(call(torn), "messages[0].tool_calls[0].function.arguments");
        refused(call(json!({ "id": "a", "custom": {} })), "messages[0].tool_calls[0]");
        for body in ["", "[]", "3", "{\"model\":"] {
            let error = request(body.as_bytes(), 1).unwrap_err();
            assert_eq!(
                (error.parameter.as_str(), error.reason.as_str()),
                ("", "the body is not a JSON object")
            );
        }
    }

    #[test]
    fn what_is_unknown_goes_through_untouched() {
        let own = json!({
            "thinking": { "type": "enabled", "budget_tokens": 2048 },
            "top_k": 5,
            "cache_control": { "type": "ephemeral" },
            "of_tomorrow": null,
        });
        check(own.clone(), own);
        let search = json!({ "tools": [{ "type": "web_search_20260318", "name": "web_search" }] });
        check(search.clone(), search);
        let blocks = json!([
            { "type": "document", "source": { "type": "url", "url": "https://x/y.pdf" } },
            { "type": "text", "text": "q", "cache_control": { "type": "ephemeral", "ttl": "1h" } },
        ]);
        conversation(
            json!([{ "role": "user", "content": blocks }]),
            json!({ "messages": [{ "role": "user", "content": blocks }] }),
        );
    }

    #[test]
    fn tools() {
        let schema = json!({ "type": "object", "properties": { "path": { "type": "string" } } });
        let function =
            |parameters: &Value| json!({ "name": "read", "description": "d", "parameters": parameters });
        let theirs = |schema: &Value| json!({ "name": "read", "description": "d", "input_schema": schema });
        let tool = json!({ "type": "function", "function": function(&schema) });
        let tools = json!([theirs(&schema)]);
        check(json!({ "tools": [tool] }), json!({ "tools": tools }));
        let bare =
            json!({ "type": "function", "function": { "name": "now", "description": null, "strict": null } });
        let none = json!({ "type": "object", "properties": {} });
        check(json!({ "tools": [bare] }), json!({ "tools": [{ "name": "now", "input_schema": none }] }));
        let marked = json!({ "type": "function", "function": { "name": "now", "strict": true }, "cache_control": { "type": "ephemeral" } });
        check(
            json!({ "tools": [marked] }),
            json!({ "tools": [{ "name": "now", "strict": true, "input_schema": none, "cache_control": { "type": "ephemeral" } }] }),
        );
        let choice = |ours: Value, theirs: Value| {
            check(
                json!({ "tools": [tool], "tool_choice": ours }),
                json!({ "tools": tools, "tool_choice": theirs }),
            );
        };
        choice(json!("auto"), json!({ "type": "auto" }));
        choice(json!("none"), json!({ "type": "none" }));
        choice(json!("required"), json!({ "type": "any" }));
        choice(
            json!({ "type": "function", "function": { "name": "read" } }),
            json!({ "type": "tool", "name": "read" }),
        );
        choice(json!({ "type": "any" }), json!({ "type": "any" }));
        let single = |chosen: Value, theirs: Value| {
            let mut ours = json!({ "tools": [tool], "parallel_tool_calls": false });
            ours.as_object_mut().unwrap().extend(chosen.as_object().unwrap().clone());
            check(ours, json!({ "tools": tools, "tool_choice": theirs }));
        };
        single(json!({}), json!({ "type": "auto", "disable_parallel_tool_use": true }));
        single(
            json!({ "tool_choice": "required" }),
            json!({ "type": "any", "disable_parallel_tool_use": true }),
        );
        single(json!({ "tool_choice": "none" }), json!({ "type": "none" }));
        check(json!({ "tools": [tool], "parallel_tool_calls": true }), json!({ "tools": tools }));
    }

    #[test]
    fn instructions_and_turns() {
        conversation(
            json!([
                { "role": "system", "content": "s" },
                { "role": "user", "content": "a" },
                { "role": "user", "content": [text("b"), text("")], "name": "n" },
                { "role": "developer", "content": [text("d")], "cache_control": { "type": "ephemeral" } },
                { "role": "assistant", "content": "c", "reasoning_content": "hm", "annotations": [], "audio": null },
                { "role": "assistant", "content": "" },
                { "role": "user", "content": "e", "cache_control": { "type": "ephemeral" } },
            ]),
            json!({
                "system": [text("s"), { "type": "text", "text": "d", "cache_control": { "type": "ephemeral" } }],
                "messages": [
                    { "role": "user", "content": [text("a"), text("b")] },
                    { "role": "assistant", "content": [text("c")] },
                    { "role": "user", "content": [{ "type": "text", "text": "e", "cache_control": { "type": "ephemeral" } }] },
                ],
            }),
        );
        let whole =
            json!({ "model": "m", "system": "own", "messages": [{ "role": "system", "content": "s" }] });
        let expect =
            json!({ "model": "m", "max_tokens": 32_000, "system": [text("own"), text("s")], "messages": [] });
        assert_eq!(asked(&whole), Ok(expect));
    }

    #[test]
    fn calls_and_what_they_gave() {
        let call = |id: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": "f", "arguments": arguments } });
        conversation(
            json!([
                { "role": "user", "content": "q" },
                { "role": "assistant", "content": null, "refusal": null, "tool_calls": [call("call_1", "{\"b\":1,\"a\":[2]}"), call("functions.f:1", "")] },
                { "role": "tool", "tool_call_id": "call_1", "content": "one" },
                { "role": "tool", "tool_call_id": "functions.f:1", "content": [text("two")], "is_error": true },
                { "role": "user", "content": "and?" },
                { "role": "assistant", "content": [{ "type": "refusal", "refusal": "no" }] },
            ]),
            json!({ "messages": [
                { "role": "user", "content": [text("q")] },
                { "role": "assistant", "content": [
                    { "type": "tool_use", "id": "call_1", "name": "f", "input": { "b": 1, "a": [2] } },
                    { "type": "tool_use", "id": "functions_f_1", "name": "f", "input": {} },
                ] },
                { "role": "user", "content": [
                    { "type": "tool_result", "tool_use_id": "call_1", "content": [text("one")] },
                    { "type": "tool_result", "tool_use_id": "functions_f_1", "content": [text("two")], "is_error": true },
                    text("and?"),
                ] },
                { "role": "assistant", "content": [text("no")] },
            ] }),
        );
    }

    #[test]
    fn images_and_files() {
        let check = |part: Value, block: Value| {
            conversation(
                json!([{ "role": "user", "content": [part] }]),
                json!({ "messages": [{ "role": "user", "content": [block] }] }),
            );
        };
        check(
            json!({ "type": "image_url", "image_url": { "url": "https://x/y.png", "detail": "high" } }),
            json!({ "type": "image", "source": { "type": "url", "url": "https://x/y.png" } }),
        );
        check(
            json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" }, "cache_control": { "type": "ephemeral" } }),
            json!({ "type": "image", "cache_control": { "type": "ephemeral" }, "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } }),
        );
        check(
            json!({ "type": "file", "file": { "filename": "a.pdf", "file_data": "data:application/pdf;name=a.pdf;base64,AAAA" } }),
            json!({ "type": "document", "title": "a.pdf", "source": { "type": "base64", "media_type": "application/pdf", "data": "AAAA" } }),
        );
        check(
            json!({ "type": "text", "text": "q", "prompt_cache_breakpoint": { "mode": "explicit" } }),
            json!({ "type": "text", "text": "q", "cache_control": { "type": "ephemeral" } }),
        );
    }
}

mod answering {
    use super::*;

    fn check(answer: Value, message: Value, finish: &str, usage: Value) {
        let whole = completion(answer.to_string().as_bytes(), 1_000).unwrap();
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        let expect = json!({
            "id": "msg_1", "object": "chat.completion", "created": 1_000, "model": "claude-x",
            "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
            "usage": usage,
        });
        assert_eq!(whole, expect);
    }

    fn answer(content: Value, stop: &str, usage: Value) -> Value {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
            "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage,
        })
    }

    #[test]
    fn whole_answers() {
        let usage = json!({
            "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7,
            "prompt_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
        });
        let counts = json!({ "input_tokens": 3, "output_tokens": 4 });
        let said = |content: &str| json!({ "role": "assistant", "content": content, "refusal": null });
        let text =
            json!([{ "type": "text", "text": "hel" }, { "type": "text", "text": "lo", "citations": null }]);
        for (stop, finish) in [
            ("end_turn", "stop"),
            ("stop_sequence", "stop"),
            ("max_tokens", "length"),
            ("model_context_window_exceeded", "length"),
            ("pause_turn", "length"),
            ("tool_use", "tool_calls"),
            ("of_tomorrow", "length"),
        ] {
            check(answer(text.clone(), stop, counts.clone()), said("hello"), finish, usage.clone());
        }
        check(answer(json!([]), "end_turn", counts.clone()), said(""), "stop", usage.clone());
        let mut declined = answer(json!([]), "refusal", counts.clone());
        declined["stop_details"] = json!({ "type": "refusal", "category": "bio", "explanation": "not that" });
        let refusal = json!({ "role": "assistant", "content": "", "refusal": "not that" });
        check(declined, refusal, "content_filter", usage.clone());
    }

    #[test]
    fn thoughts_calls_and_counts() {
        let content = json!([
            { "type": "thinking", "thinking": "hm", "signature": "x" },
            { "type": "redacted_thinking", "data": "y" },
            { "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "query": "z" } },
            { "type": "tool_use", "id": "toolu_1", "name": "f", "input": { "b": 1, "a": "ä\n" } },
            { "type": "tool_use", "id": "toolu_2", "name": "g", "input": {} },
        ]);
        let counts = json!({
            "input_tokens": 3, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 100, "output_tokens": 9,
            "output_tokens_details": { "thinking_tokens": 5 },
        });
        let call = |id: &str, name: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
        let message = json!({
            "role": "assistant", "content": null, "refusal": null, "reasoning_content": "hm",
            "tool_calls": [call("toolu_1", "f", r#"{"b":1,"a":"ä\n"}"#), call("toolu_2", "g", "{}")],
        });
        let usage = json!({
            "prompt_tokens": 123, "completion_tokens": 9, "total_tokens": 132,
            "prompt_tokens_details": { "cached_tokens": 100, "cache_write_tokens": 20 },
            "completion_tokens_details": { "reasoning_tokens": 5 },
        });
        check(answer(content, "tool_use", counts), message, "tool_calls", usage);
    }

    #[test]
    fn what_is_no_answer() {
        for body in ["", "{}", "[]", "<html>", r#"{"content":"text"}"#] {
            assert!(matches!(completion(body.as_bytes(), 0), Err(Unreadable::Strange(_))), "{body}");
        }
    }

    #[test]
    fn errors() {
        let check = |status: u16, body: &str, kind: &str, message: &str| {
            let told: Value =
                serde_json::from_str(&problem(StatusCode::from_u16(status).unwrap(), body.as_bytes()))
                    .unwrap();
            let error = json!({ "message": message, "type": kind, "param": null, "code": null });
            assert_eq!(told, json!({ "error": error }), "{body}");
        };
        let theirs = |word: &str| {
            json!({ "type": "error", "error": { "type": word, "message": "no" }, "request_id": "r" })
                .to_string()
        };
        check(400, &theirs("invalid_request_error"), "invalid_request_error", "no");
        check(401, &theirs("authentication_error"), "authentication_error", "no");
        check(403, &theirs("permission_error"), "permission_error", "no");
        check(404, &theirs("not_found_error"), "not_found_error", "no");
        check(413, &theirs("request_too_large"), "invalid_request_error", "no");
        check(429, &theirs("rate_limit_error"), "rate_limit_error", "no");
        check(529, &theirs("overloaded_error"), "server_error", "no");
        check(
            502,
            "<h1>Bad\n\u{1b}[31mGateway",
            "server_error",
            "the provider answered with status 502: <h1>Bad ␛[31mGateway",
        );
        check(500, "", "server_error", "the provider answered with status 500");
        check(
            500,
            r#"{"error":"flat"}"#,
            "server_error",
            r#"the provider answered with status 500: {"error":"flat"}"#,
        );
    }
}

mod streaming {
    use super::*;

    fn event(data: &Value) -> String {
        format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
    }

    fn start(index: usize, block: Value) -> String {
        event(&json!({ "type": "content_block_start", "index": index, "content_block": block }))
    }

    fn delta(index: usize, delta: Value) -> String {
        event(&json!({ "type": "content_block_delta", "index": index, "delta": delta }))
    }

    fn stop(index: usize) -> String {
        event(&json!({ "type": "content_block_stop", "index": index }))
    }

    fn beginning() -> String {
        let usage = json!({ "input_tokens": 3, "cache_read_input_tokens": 100, "output_tokens": 1 });
        event(&json!({ "type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": usage,
        } }))
    }

    fn end(stop: &str) -> String {
        let delta = json!({ "stop_reason": stop, "stop_sequence": null });
        event(&json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": 9 } }))
            + &event(&json!({ "type": "message_stop" }))
    }

    /// Thoughts, text, a search of the provider's own, two calls, and everything that says nothing.
    fn everything() -> String {
        [
            beginning(),
            event(&json!({ "type": "ping" })),
            start(0, json!({ "type": "thinking", "thinking": "", "signature": "" })),
            delta(0, json!({ "type": "thinking_delta", "thinking": "hm\n" })),
            delta(0, json!({ "type": "signature_delta", "signature": "x" })),
            stop(0),
            start(1, json!({ "type": "redacted_thinking", "data": "x" })),
            stop(1),
            start(2, json!({ "type": "text", "text": "" })),
            delta(2, json!({ "type": "text_delta", "text": "hällo" })),
            delta(2, json!({ "type": "citations_delta", "citation": { "type": "page_location" } })),
            delta(2, json!({ "type": "text_delta", "text": " \u{2028}\r\n\"you\"" })),
            stop(2),
            start(3, json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": {} })),
            delta(3, json!({ "type": "input_json_delta", "partial_json": "{\"query\":" })),
            stop(3),
            start(4, json!({ "type": "tool_use", "id": "toolu_1", "name": "f", "input": {} })),
            delta(4, json!({ "type": "input_json_delta", "partial_json": "" })),
            delta(4, json!({ "type": "input_json_delta", "partial_json": "{\"a\":" })),
            delta(4, json!({ "type": "input_json_delta", "partial_json": "1}" })),
            stop(4),
            ": a remark\n\n".to_owned(),
            start(5, json!({ "type": "tool_use", "id": "toolu_2", "name": "g", "input": {} })),
            stop(5),
            event(&json!({ "type": "of_tomorrow", "delta": { "wings": 2 }, "content_block": null })),
            end("tool_use"),
        ]
        .concat()
    }

    fn told(pieces: &[&[u8]], include_usage: bool) -> (String, Result<(), Unreadable>) {
        let mut translator = Translator::new(include_usage, 1_000);
        let mut said = Vec::new();
        for piece in pieces {
            // What is wrong is told at the end again.
            said.extend(translator.feed(piece).unwrap_or_default());
        }
        (String::from_utf8(said).unwrap(), translator.finish())
    }

    #[test]
    fn every_kind_of_event() {
        let (said, end) = told(&[everything().as_bytes()], true);
        assert_eq!(end, Ok(()));
        // What is the same in every chunk is checked and taken out, to show the rest.
        let frame = r#"data: {"id":"msg_1","object":"chat.completion.chunk","created":1000,"model":"claude-x","choices":["#;
        let (first, rest) = ("{\"index\":0,\"delta\":", r#"],"usage":null}"#);
        let shown: Vec<String> = said
            .split_terminator("\n\n")
            .map(|chunk| chunk.strip_prefix(frame).unwrap_or(chunk).replace(first, "").replace(rest, ""))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        {"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}
        {"reasoning_content":"hm\n"},"logprobs":null,"finish_reason":null}
        {"content":"hällo"},"logprobs":null,"finish_reason":null}
        {"content":"  \r\n\"you\""},"logprobs":null,"finish_reason":null}
        {"tool_calls":[{"index":0,"id":"toolu_1","type":"function","function":{"name":"f","arguments":""}}]},"logprobs":null,"finish_reason":null}
        {"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]},"logprobs":null,"finish_reason":null}
        {"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"logprobs":null,"finish_reason":null}
        {"tool_calls":[{"index":1,"id":"toolu_2","type":"function","function":{"name":"g","arguments":""}}]},"logprobs":null,"finish_reason":null}
        {"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]},"logprobs":null,"finish_reason":null}
        {},"logprobs":null,"finish_reason":"tool_calls"}
        ],"usage":{"prompt_tokens":103,"completion_tokens":9,"total_tokens":112,"prompt_tokens_details":{"cached_tokens":100,"cache_write_tokens":0}}}
        data: [DONE]
        "#);
    }

    #[test]
    fn counts_only_where_asked_for() {
        let text = beginning() + &end("max_tokens");
        let chunk = |rest: &str| {
            format!(
                r#"data: {{"id":"msg_1","object":"chat.completion.chunk","created":1000,"model":"claude-x",{rest}}}"#
            ) + "\n\n"
        };
        let first = r#""choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]"#;
        let last = r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}]"#;
        let expect = chunk(first) + &chunk(last) + "data: [DONE]\n\n";
        assert_eq!(told(&[text.as_bytes()], false), (expect, Ok(())));
    }

    #[test]
    fn a_refusal_says_why() {
        let delta = json!({ "stop_reason": "refusal", "stop_details": { "type": "refusal", "explanation": "not that" } });
        let text = beginning()
            + &event(&json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": 1 } }));
        let (said, end) = told(&[text.as_bytes()], false);
        assert!(said.ends_with("\"delta\":{\"refusal\":\"not that\"},\"logprobs\":null,\"finish_reason\":\"content_filter\"}]}\n\n"), "{said}");
        assert_eq!(end, Err(Unreadable::Unfinished));
    }

    #[test]
    fn what_breaks_is_told() {
        let begun = told(&[beginning().as_bytes()], false).0;
        let check = |rest: &str, said: &str, error: Unreadable| {
            let text = beginning() + rest;
            let (whole, end) = told(&[text.as_bytes()], false);
            assert_eq!((whole.strip_prefix(&begun), end), (Some(said), Err(error)), "{rest}");
        };
        check("", "", Unreadable::Unfinished);
        check("event: ping\ndata: {\"type\":\"ping\"}\n", "", Unreadable::Unfinished);
        let overloaded = event(
            &json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } }),
        );
        let told = "data: {\"error\":{\"message\":\"Overloaded\",\"type\":\"overloaded_error\",\"param\":null,\"code\":null}}\n\n";
        check(&(overloaded + &end("end_turn")), told, Unreadable::Reported);
        let odd = "expected value at line 1 column 1".to_owned();
        check(&("data: <html>\n\n".to_owned() + &end("end_turn")), "", Unreadable::Strange(odd));
        check(&format!("data: {}", "x".repeat(events::LONGEST)), "", Unreadable::TooLong(events::LONGEST));
    }

    #[test]
    fn nothing_is_said_after_the_end() {
        let text = everything();
        let whole = told(&[text.as_bytes()], true);
        for rest in [everything(), "data: [DONE]\n\n".to_owned(), "data: <html>\n\n".to_owned()] {
            assert_eq!(told(&[text.as_bytes(), rest.as_bytes()], true), whole);
        }
    }

    /// `text` cut at `cuts`.
    fn pieces<'a>(text: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
        let mut places: Vec<usize> =
            cuts.iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
        places.sort_unstable();
        places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
    }

    /// Anything at all.
    fn any_value() -> impl Strategy<Value = Value> {
        const WORDS: &[&str] = &[
            "user",
            "assistant",
            "tool",
            "text",
            "image_url",
            "file",
            "function",
            "json_schema",
            "data:;base64,",
        ];
        const NAMES: &[&str] = &[
            "type",
            "text",
            "role",
            "content",
            "function",
            "arguments",
            "image_url",
            "url",
            "file",
            "cache_control",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop::sample::select(WORDS).prop_map(Value::from),
            "\\PC{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((prop::sample::select(NAMES), inner), 0..5)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    /// A request that has messages, and anything in all that is translated.
    fn any_request() -> impl Strategy<Value = Value> {
        const ROLES: &[&str] = &["user", "assistant", "tool", "system"];
        const NAMES: &[&str] = &[
            "tools",
            "tool_choice",
            "response_format",
            "reasoning_effort",
            "stop",
            "metadata",
            "user",
            "system",
            "output_config",
            "n",
        ];
        let message = (prop::sample::select(ROLES), any_value(), any_value(), any_value())
            .prop_map(|(role, content, calls, id)| json!({ "role": role, "content": content, "tool_calls": calls, "tool_call_id": id }));
        let rest = prop::collection::vec((prop::sample::select(NAMES), any_value()), 0..2);
        (prop::collection::vec(message, 0..3), rest).prop_map(|(messages, rest)| {
            let mut chat: Value = rest.into_iter().collect();
            chat["messages"] = json!(messages);
            chat
        })
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(cuts in prop::collection::vec(any::<usize>(), 0..40), returns in any::<bool>()) {
            let text = if returns { everything().replace('\n', "\r\n") } else { everything() };
            prop_assert_eq!(told(&pieces(text.as_bytes(), &cuts), true), told(&[everything().as_bytes()], true));
        }

        #[test]
        fn also_of_what_breaks(text in "(data: (\\{\"type\":\"(ping|message_start|content_block_start|message_stop|error)\"\\}|x|)|\\PC{0,3}|\r|\n){0,20}", cuts in prop::collection::vec(any::<usize>(), 0..20)) {
            prop_assert_eq!(told(&pieces(text.as_bytes(), &cuts), false), told(&[text.as_bytes()], false));
        }

        #[test]
        fn no_request_makes_it_panic(chat in any_request()) {
            if let Ok(body) = request(chat.to_string().as_bytes(), 7) {
                let asked: Value = serde_json::from_slice(&body).unwrap();
                prop_assert!(asked["messages"].is_array() && !asked["max_tokens"].is_null(), "{}", asked);
            }
        }

        #[test]
        fn no_text_makes_it_panic(body in "\\PC{0,40}", status in 400u16..600) {
            let _ = (request(body.as_bytes(), 1), completion(body.as_bytes(), 0));
            prop_assert!(serde_json::from_str::<Value>(&problem(StatusCode::from_u16(status).unwrap(), body.as_bytes())).is_ok());
        }
    }
}
