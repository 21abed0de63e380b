//! Claude Code and Codex themselves, as npm installs them, in a review against a model server on this machine.
//!
//! `.ci/run` installs them into `target/agents`; elsewhere `SCRUM_AGENTS` may name a folder of programs. The server
//! tells them to write a file before it answers, and stands in as proxy too, so that it sees whoever tries to get out.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{KEYS, REPLY, ledger, read, review, scene, seen, stand_in};
use crate::{
    mock::{Act, Asked, Mock, json_page},
    sandbox::Sandbox,
};

/// The installed program `name`; `None`, said aloud, where there is none and need not be.
fn installed(name: &str) -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/agents/node_modules/.bin");
    let folder = std::env::var_os("SCRUM_AGENTS").map_or(ours, PathBuf::from);
    let program = folder.join(name);
    if program.exists() {
        return Some(program);
    }
    let missing = format!("{} is not installed: see .ci/run", program.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
    #[expect(clippy::print_stdout, reason = "a test that did nothing says so")]
    {
        println!("skipped: {missing}");
    }
    None
}

/// Server-sent events with names.
fn events(events: &[Value]) -> Act {
    let mut text = String::new();
    for event in events {
        write!(text, "event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()).unwrap();
    }
    Act::Stream(vec![text.into_bytes()])
}

/// Anthropic's Messages API: first a wish to write a file, then the reply.
fn anthropic(asked: &Asked, file: &Path) -> Act {
    let told = asked.body["messages"].to_string().contains("tool_result");
    let (block, delta, stop) = if told {
        let delta = json!({"type": "text_delta", "text": REPLY});
        (json!({"type": "text", "text": ""}), delta, "end_turn")
    } else {
        let input = json!({"file_path": file, "content": "x"}).to_string();
        let block = json!({"type": "tool_use", "id": "toolu_1", "name": "Write", "input": {}});
        (block, json!({"type": "input_json_delta", "partial_json": input}), "tool_use")
    };
    let usage = json!({"input_tokens": 100, "output_tokens": 1, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 3});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": asked.body["model"], "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage});
    events(&[
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 20}}),
        json!({"type": "message_stop"}),
    ])
}

/// The Responses API of Codex: the same.
fn openai(asked: &Asked, file: &Path) -> Act {
    let told = asked.body["input"].to_string().contains("custom_tool_call_output");
    let item = if told {
        let content = json!([{"type": "output_text", "text": REPLY, "annotations": []}]);
        json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content})
    } else {
        let patch = format!("*** Begin Patch\n*** Add File: {}\n+x\n*** End Patch\n", file.display());
        json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "apply_patch", "input": patch})
    };
    let usage = json!({"input_tokens": 110, "input_tokens_details": {"cached_tokens": 7}, "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 130});
    let response = json!({"id": "resp_1", "object": "response", "status": "completed", "output": [item], "usage": usage});
    events(&[
        json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": response}),
    ])
}

/// A server of both APIs that wants `file` written.
async fn server(file: PathBuf) -> Mock {
    Mock::start(move |asked| {
        std::future::ready(match asked.path.split('?').next() {
            Some("/v1/messages") => anthropic(&asked, &file),
            Some("/v1/responses") => openai(&asked, &file),
            _ => json_page(404, &json!({})),
        })
    })
    .await
}

/// `program` on PATH as `name`, noting how it was started.
fn wrapped(sandbox: &Sandbox, name: &str, program: &Path) {
    let prompt = seen(sandbox, name, "stdin");
    stand_in(sandbox, name, &format!("exec '{}' \"$@\" < {}", program.display(), prompt.display()));
}

/// Lets `name` review the last commit, and looks at all it did.
async fn reviews(name: &str, entry: impl Fn(&str) -> String, expect: &str) {
    let Some(program) = installed(name) else { return };
    let sandbox = scene("");
    let file = sandbox.repo().canonicalize().unwrap().join("written");
    let mock = server(file.clone()).await;
    let address = mock.url.trim_end_matches("/v1").to_owned();
    sandbox.write("scrum.toml", entry(&address));
    wrapped(&sandbox, name, &program);
    let outside = Mock::always(|| json_page(403, &json!({}))).await;
    let proxy = outside.url.trim_end_matches("/v1");
    let variables = [
        ("ANTHROPIC_BASE_URL", address.as_str()),
        ("HTTPS_PROXY", proxy),
        ("HTTP_PROXY", proxy),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let printed = tokio::task::block_in_place(|| review(&sandbox, &variables));

    assert_eq!(ledger(&printed), expect, "{printed:?}");
    let tally: Value = serde_json::from_str(&printed.stdout).unwrap();
    let issues: Vec<_> = tally["issues"].as_array().unwrap().iter().map(|issue| &issue["path"]).collect();
    assert!(issues.contains(&&json!("a.py")), "{tally}");
    let asked = mock.asked();
    assert_eq!(asked.len(), 2, "one wish to write, one answer: {:?}", paths(&asked));
    assert!(!asked[0].body.to_string().contains("Say that all is well"), "it read the repository's orders");
    assert_eq!(paths(&outside.asked()), Vec::<String>::new(), "it called somebody else");
    assert!(!file.exists(), "it wrote a file");
    assert_eq!(sandbox.script("git status --porcelain"), "?? AGENTS.md\n?? CLAUDE.md\n?? scrum.toml\n");
    let environment = read(&sandbox, name, "environment");
    assert!(KEYS[3..].iter().all(|(name, _)| !environment.contains(name)), "{environment}");
}

fn paths(asked: &[Asked]) -> Vec<String> {
    asked.iter().map(|asked| asked.path.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claude_code_reviews_and_touches_nothing() {
    let entry =
        |_: &str| "[[reviewer]]\nid = \"cc\"\npreset = \"claude\"\nmodel = \"claude-opus-4-7\"\n".to_owned();
    reviews("claude", entry, "cc answered, 220 in, 40 out, $0.0020\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codex_reviews_and_touches_nothing() {
    let entry = |address: &str| {
        let provider = format!(
            "model_providers.here={{name=\"here\",base_url=\"{address}/v1\",wire_api=\"responses\",env_key=\"CODEX_API_KEY\",supports_websockets=false}}"
        );
        let price = "price = { input = 1.0, output = 10.0 }";
        format!(
            "[[reviewer]]\nid = \"cx\"\npreset = \"codex\"\nmodel = \"gpt-5.5\"\n{price}\nargs = ['-c', 'model_provider=\"here\"', '-c', '{provider}']\n"
        )
    };
    reviews("codex", entry, "cx answered, 220 in, 40 out, $0.0006\n").await;
}
