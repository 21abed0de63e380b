//! Programs of others at the gateway, unchanged: the official `openai` clients for Python and Node, `llm`, and an agent that writes
//! code. Each asks a model behind chat completions and one behind Anthropic's Messages API, and must not see a difference.
//!
//! `.ci/run` installs them into `target/clients`; elsewhere `SCRUM_CLIENTS` may name a folder.

pub(crate) mod provider;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::{
    mock::{Asked, Mock, json_page},
    sandbox::{Printed, Sandbox, printed},
    serve::Serve,
};

/// What each program must get to know, whichever it is.
const TOLD: &str = "\
models: claude plain
plain whole: hello there | stop | 7 + 3 tokens
plain stream: hello there | stop | 7 + 3 tokens
plain whole call: weather({\"city\":\"Oslo\"}) | tool_calls | 7 + 3 tokens
plain stream call: weather({\"city\":\"Oslo\"}) | tool_calls | 7 + 3 tokens
plain result: it rains | stop | 7 + 3 tokens
plain busy: RateLimitError 429 rate_limit_error - 7
plain broken stream: an error
claude whole: hello there | stop | 7 + 3 tokens
claude stream: hello there | stop | 7 + 3 tokens
claude whole call: weather({\"city\":\"Oslo\"}) | tool_calls | 7 + 3 tokens
claude stream call: weather({\"city\":\"Oslo\"}) | tool_calls | 7 + 3 tokens
claude result: it rains | stop | 7 + 3 tokens
claude busy: RateLimitError 429 rate_limit_error - 7
claude broken stream: an error
claude untranslatable: BadRequestError 400 invalid_request_error seed -
nobody unknown: NotFoundError 404 not_found_error model -
";

/// `scrum serve` with a provider behind it.
struct Gateway {
    serve: Serve,
    provider: Mock,
    /// With `/v1`.
    url: String,
}

impl Gateway {
    async fn start() -> Self {
        let (sandbox, provider) = (Sandbox::new(), provider::start().await);
        let url = &provider.url;
        let reviewer = |id: &str, protocol: &str| {
            format!(
                "[[reviewer]]\nid = \"{id}\"\nprovider = \"{protocol}\"\nmodel = \"{id}\"\nbase_url = \"{url}\"\n"
            )
        };
        let reviewers = reviewer("plain", "openai") + &reviewer("claude", "anthropic");
        sandbox.write("scrum.toml", format!("[serve]\nretries = 0\n{reviewers}"));
        let serve = Serve::of(sandbox).await;
        let url = format!("http://{}/v1", serve.address);
        Self { serve, provider, url }
    }

    fn sandbox(&self) -> &Sandbox {
        &self.serve.sandbox
    }

    /// Runs `command` with the gateway's address; it must succeed.
    fn run(&self, command: &mut Command) -> Printed {
        let command = command.env("GATEWAY", &self.url).env("CLIENTS", folder());
        let printed = printed(&tokio::task::block_in_place(|| command.output()).unwrap());
        assert_eq!(printed.status, 0, "{printed:?}");
        printed
    }

    fn asked(&self, path: &str) -> Vec<Asked> {
        self.provider.asked().into_iter().filter(|asked| asked.path == path).collect()
    }
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    std::env::var_os("SCRUM_CLIENTS").map_or(here().join("target/clients"), PathBuf::from)
}

/// What `.ci/run` installs at `path`; `None`, said aloud, where there is none and need not be.
fn installed(path: &str) -> Option<PathBuf> {
    let found = folder().join(path);
    if found.exists() {
        return Some(found);
    }
    let missing = format!("{} is not installed: see .ci/run", found.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
    #[expect(clippy::print_stdout, reason = "a test that did nothing says so")]
    {
        println!("skipped: {missing}");
    }
    None
}

fn script(name: &str) -> PathBuf {
    here().join("tests/clients").join(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_for_python() {
    let Some(python) = installed("bin/python") else { return };
    let gateway = Gateway::start().await;
    let mut command = gateway.sandbox().command(python);
    assert_eq!(gateway.run(command.arg(script("chat.py"))).stdout, TOLD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_for_node() {
    if installed("node_modules/openai").is_none() {
        return;
    }
    let gateway = Gateway::start().await;
    let mut command = gateway.sandbox().command("node");
    assert_eq!(gateway.run(command.arg(script("chat.mjs"))).stdout, TOLD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn llm() {
    let Some(program) = installed("bin/llm") else { return };
    let gateway = Gateway::start().await;
    let model =
        |name: &str| format!("- model_id: here-{name}\n  model_name: {name}\n  api_base: {}\n", gateway.url);
    let settings = gateway.sandbox().home().join("llm");
    fs::create_dir(&settings).unwrap();
    fs::write(settings.join("extra-openai-models.yaml"), model("plain") + &model("claude")).unwrap();
    for name in ["plain", "claude"] {
        for stream in [&["--no-stream"][..], &[]] {
            let mut command = gateway.sandbox().command(&program);
            let model = format!("here-{name}");
            command.args(["--model", &model, "--key", "any", "--no-log", "hello"]).args(stream);
            let printed = gateway.run(command.env("LLM_USER_PATH", &settings));
            assert_eq!(printed.stdout.trim_end(), "hello there", "{name} {stream:?}");
        }
    }
    let streams =
        |asked: Vec<Asked>| asked.iter().map(|asked| asked.body["stream"] == true).collect::<Vec<_>>();
    assert_eq!(streams(gateway.asked("/v1/chat/completions")), [false, true]);
    assert_eq!(streams(gateway.asked("/v1/messages")), [false, true]);
}

/// Qwen Code is told to write a file by the model, does so, and tells what came of it.
async fn agent(model: &str, path: &str, result: &str) {
    let Some(program) = installed("node_modules/.bin/qwen") else { return };
    let gateway = Gateway::start().await;
    let outside = Mock::always(|| json_page(403, &json!({}))).await;
    let proxy = outside.url.trim_end_matches("/v1");
    let file = gateway.sandbox().repo().canonicalize().unwrap().join("note.txt");
    let settings = gateway.sandbox().home().join(".qwen");
    fs::create_dir(&settings).unwrap();
    let quiet =
        json!({ "privacy": { "usageStatisticsEnabled": false }, "general": { "enableAutoUpdate": false } });
    fs::write(settings.join("settings.json"), quiet.to_string()).unwrap();
    let mut command = gateway.sandbox().command(program);
    command
        .args(["--auth-type", "openai", "--approval-mode", "yolo", "--prompt"])
        .arg(format!("write a note: FILE={}", file.display()))
        .envs([("OPENAI_API_KEY", "any"), ("OPENAI_BASE_URL", &gateway.url), ("OPENAI_MODEL", model)])
        .envs([("HTTP_PROXY", proxy), ("HTTPS_PROXY", proxy), ("NO_PROXY", "127.0.0.1")]);
    let printed = gateway.run(&mut command);
    assert_eq!(printed.stdout, "it is written\n");
    assert_eq!(fs::read_to_string(file).unwrap(), "by the agent\n");
    let asked = gateway.asked(path);
    let told: Vec<bool> = asked.iter().map(|asked| asked.body.to_string().contains(result)).collect();
    assert_eq!(told, [false, true], "one call of a tool, one answer with what it gave");
    assert_eq!(outside.asked().len(), 0, "it called somebody else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_with_a_model_behind_chat_completions() {
    agent("plain", "/v1/chat/completions", r#""role":"tool""#).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_with_a_model_behind_the_messages_api() {
    agent("claude", "/v1/messages", r#""type":"tool_result""#).await;
}
