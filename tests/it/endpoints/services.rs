//! What each service insists on, after its documentation (docs/design/endpoints.md): [`SERVICES`], and [`serve`], which
//! refuses a request that breaks the rules in the service's own words.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::mock::{Act, Asked, json_page};

/// A service with one of its models.
pub(super) struct Service {
    /// First part of the path on the mock's host; names the reviewer too.
    pub(super) name: &'static str,
    pub(super) preset: &'static str,
    pub(super) model: &'static str,
    /// Path of the service's base URL.
    pub(super) base: &'static str,
    /// Path behind the base URL, with its query.
    path: &'static str,
    /// Header with the key, and what stands before it there; `None` takes no key.
    key: Option<(&'static str, &'static str)>,
    /// Fields of a request that it takes, besides `model`, `messages` and `stream`.
    takes: &'static [&'static str],
    /// How it refuses another.
    refuses: fn(&str) -> Act,
    reply: fn(bool) -> Vec<Value>,
}

const CHAT: &str = "/chat/completions";
const BEARER: Option<(&str, &str)> = Some(("authorization", "Bearer "));
/// What a lenient server takes.
const USUAL: &[&str] = &["stream_options", "temperature", "max_tokens"];
const NEW_LIMIT: &[&str] = &["stream_options", "temperature", "max_completion_tokens"];
/// Reasoning models.
const NO_TEMPERATURE: &[&str] = &["stream_options", "max_completion_tokens"];

/// A service like most.
const LIKE_MOST: Service = Service {
    name: "",
    preset: "",
    model: "m",
    base: "/v1",
    path: CHAT,
    key: BEARER,
    takes: USUAL,
    refuses: unsupported,
    reply: plain,
};

#[rustfmt::skip]
pub(super) const SERVICES: &[Service] = &[
    Service {
        name: "anthropic", preset: "anthropic", model: "claude-haiku-4-5", path: "/messages", key: Some(("x-api-key", "")),
        takes: &["system", "max_tokens", "temperature"], refuses: not_permitted, reply: messages, ..LIKE_MOST
    },
    Service {
        name: "anthropic-new", preset: "anthropic", model: "claude-opus-4-7", path: "/messages", key: Some(("x-api-key", "")),
        takes: &["system", "max_tokens"], refuses: deprecated, reply: messages, ..LIKE_MOST
    },
    Service { name: "azure", preset: "azure", model: "gpt-5-mini", base: "/openai/v1", key: Some(("api-key", "")), takes: NO_TEMPERATURE, reply: filtered, ..LIKE_MOST },
    Service { name: "azure-old", preset: "azure", model: "gpt-4.1", base: "/openai/deployments/d", path: "/chat/completions?api-version=2024-10-21", key: Some(("api-key", "")), takes: NEW_LIMIT, ..LIKE_MOST },
    Service { name: "bedrock", preset: "bedrock", ..LIKE_MOST },
    Service { name: "dashscope", preset: "dashscope", base: "/compatible-mode/v1", reply: reasoned, ..LIKE_MOST },
    Service { name: "deepseek", preset: "deepseek", base: "", reply: deepseek, ..LIKE_MOST },
    Service { name: "gemini", preset: "gemini", model: "gemini-3-pro", base: "/v1beta/openai", refuses: unknown_name, reply: counted_each_time, ..LIKE_MOST },
    Service { name: "groq", preset: "groq", base: "/openai/v1", takes: NEW_LIMIT, ..LIKE_MOST },
    Service { name: "litellm", preset: "litellm", ..LIKE_MOST },
    Service { name: "llama-cpp", preset: "llama-cpp", key: None, reply: reasoned, ..LIKE_MOST },
    Service { name: "lm-studio", preset: "lm-studio", key: None, ..LIKE_MOST },
    Service { name: "mistral", preset: "mistral", model: "magistral-medium", takes: &["temperature", "max_tokens"], refuses: extra_forbidden, reply: in_parts, ..LIKE_MOST },
    Service { name: "moonshot", preset: "moonshot", model: "kimi-k2.6", takes: &["stream_options", "max_tokens", "max_completion_tokens"], refuses: only_1_is_allowed, reply: reasoned, ..LIKE_MOST },
    Service { name: "ollama", preset: "ollama", key: None, ..LIKE_MOST },
    Service { name: "openai", preset: "openai", model: "gpt-4.1", takes: NEW_LIMIT, ..LIKE_MOST },
    Service { name: "openai-new", preset: "openai", model: "o4-mini", takes: NO_TEMPERATURE, ..LIKE_MOST },
    Service { name: "openrouter", preset: "openrouter", base: "/api/v1", reply: priced, ..LIKE_MOST },
    Service { name: "vllm", preset: "vllm", key: None, ..LIKE_MOST },
    Service { name: "xai", preset: "xai", ..LIKE_MOST },
];

/// The key that a service wants.
pub(super) fn key_of(preset: &str) -> String {
    format!("sk-{preset}-0123456789")
}

/// Answers for the service that the path names.
pub(super) fn serve(asked: &Asked) -> Act {
    let service = SERVICES.iter().find(|service| {
        let rest = asked.path.strip_prefix('/').and_then(|path| path.strip_prefix(service.name));
        rest.is_some_and(|rest| rest == format!("{}{}", service.base, service.path))
    });
    let Some(service) = service else { return json_page(404, &json!({"detail": "Not Found"})) };
    if let Err(complaint) = service.check_headers(&asked.headers) {
        return json_page(401, &json!({"error": {"message": complaint}}));
    }
    let known = ["model", "messages", "stream"].iter().chain(service.takes);
    let known: Vec<&str> = known.copied().collect();
    if let Some(field) = asked.body.as_object().unwrap().keys().find(|field| !known.contains(&field.as_str()))
    {
        return (service.refuses)(field);
    }
    if asked.body["model"] != service.model {
        return json_page(404, &json!({"error": {"message": "no such model"}}));
    }
    let is_anthropic = service.path == "/messages";
    let roles: Vec<&str> =
        asked.body["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    let expected: &[&str] = if is_anthropic { &["user"] } else { &["system", "user"] };
    if roles != expected || is_anthropic && !asked.body["max_tokens"].is_u64() {
        return json_page(400, &json!({"error": {"message": "messages, or max_tokens: Field required"}}));
    }
    // Most tell the counts of a stream only to those who ask, Mistral and Anthropic to everybody.
    let counts =
        !service.takes.contains(&"stream_options") || asked.body["stream_options"]["include_usage"] == true;
    let events = (service.reply)(counts);
    let named = |event: &Value| match event["type"].as_str() {
        Some(name) if is_anthropic => format!("event: {name}\n"),
        _ => String::new(),
    };
    let mut bytes = vec![b": PROCESSING\n\n".to_vec()];
    bytes.extend(events.iter().map(|event| format!("{}data: {event}\n\n", named(event)).into_bytes()));
    if !is_anthropic {
        bytes.push(b"data: [DONE]\n\n".to_vec());
    }
    Act::Stream(bytes)
}

impl Service {
    fn check_headers(&self, headers: &HeaderMap) -> Result<(), String> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some((name, scheme)) = self.key
            && text(name) != Some(&format!("{scheme}{}", key_of(self.preset)))
        {
            return Err(format!("no key in {name}"));
        }
        if self.path == "/messages" && text("anthropic-version") != Some("2023-06-01") {
            return Err("anthropic-version: header is required".to_owned());
        }
        match text("content-type") {
            Some("application/json") => Ok(()),
            other => Err(format!("content-type is {other:?}")),
        }
    }
}

fn unsupported(field: &str) -> Act {
    let instead = if field == "max_tokens" { " Use 'max_completion_tokens' instead." } else { "" };
    json_page(
        400,
        &json!({"error": {
            "message": format!("Unsupported parameter: '{field}' is not supported with this model.{instead}"),
            "type": "invalid_request_error", "param": field, "code": "unsupported_parameter",
        }}),
    )
}

fn extra_forbidden(field: &str) -> Act {
    json_page(
        422,
        &json!({
            "object": "error",
            "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", field], "msg": "Extra inputs are not permitted", "input": 1}]},
            "type": "invalid_request_error", "param": null, "code": null,
        }),
    )
}

fn unknown_name(field: &str) -> Act {
    let message = format!("Invalid JSON payload received. Unknown name \"{field}\": Cannot find field.");
    json_page(400, &json!([{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]))
}

fn only_1_is_allowed(field: &str) -> Act {
    let message = format!("invalid {field}: only 1 is allowed for this model");
    json_page(400, &json!({"error": {"message": message, "type": "invalid_request_error"}}))
}

fn not_permitted(field: &str) -> Act {
    invalid_request(&format!("{field}: Extra inputs are not permitted"))
}

fn deprecated(field: &str) -> Act {
    invalid_request(&format!("`{field}` is deprecated for this model."))
}

fn invalid_request(message: &str) -> Act {
    json_page(400, &json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}}))
}

const VERDICT: &str = "VERDICT: ship, nothing is wrong here.";

fn chunk(delta: &Value, finish: Option<&str>) -> Value {
    json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

/// `chunks` of a whole reply, with `usage` at the end if it is wanted.
fn with_counts(mut chunks: Vec<Value>, wanted: bool, usage: &Value) -> Vec<Value> {
    chunks.extend(wanted.then(|| json!({"choices": [], "usage": usage})));
    chunks
}

fn plain(wanted: bool) -> Vec<Value> {
    let chunks = vec![
        chunk(&json!({"role": "assistant", "content": ""}), None),
        chunk(&json!({"content": VERDICT}), None),
        chunk(&json!({}), Some("stop")),
    ];
    let usage = json!({"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100, "prompt_tokens_details": {"cached_tokens": 64}});
    with_counts(chunks, wanted, &usage)
}

fn reasoned(wanted: bool) -> Vec<Value> {
    let thought = chunk(&json!({"content": null, "reasoning_content": "VERDICT: hold? No."}), None);
    [vec![thought], plain(wanted)].concat()
}

fn deepseek(wanted: bool) -> Vec<Value> {
    let usage = json!({"prompt_tokens": 70, "completion_tokens": 30, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 6});
    with_counts(reasoned(false), wanted, &usage)
}

fn filtered(wanted: bool) -> Vec<Value> {
    [vec![json!({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]})], plain(wanted)].concat()
}

fn counted_each_time(wanted: bool) -> Vec<Value> {
    let each = plain(false).into_iter().enumerate().map(|(at, mut chunk)| {
        if wanted {
            chunk["usage"] = json!({"prompt_tokens": 70, "completion_tokens": 10 * (at + 1)});
        }
        chunk
    });
    each.collect()
}

fn in_parts(_: bool) -> Vec<Value> {
    let parts = json!([{"type": "thinking", "thinking": [{"type": "text", "text": "VERDICT: hold?"}]}, {"type": "text", "text": VERDICT}]);
    let mut end = chunk(&json!({"content": ""}), Some("stop"));
    end["usage"] = json!({"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100});
    vec![chunk(&json!({"role": "assistant", "content": parts}), None), end]
}

fn priced(_: bool) -> Vec<Value> {
    let usage = json!({"prompt_tokens": 70, "completion_tokens": 30, "cost": 0.0125, "cost_details": {"upstream_inference_cost": null}});
    with_counts(plain(false), true, &usage)
}

fn messages(_: bool) -> Vec<Value> {
    let usage = json!({"input_tokens": 6, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 64, "output_tokens": 1});
    vec![
        json!({"type": "message_start", "message": {"type": "message", "role": "assistant", "content": [], "stop_reason": null, "usage": usage}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "VERDICT: hold?"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": VERDICT}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 30}}),
        json!({"type": "message_stop"}),
    ]
}
