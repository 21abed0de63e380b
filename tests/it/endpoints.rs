//! Presets of endpoints, tried on services that enforce their own rules.

mod anthropic;
mod learning;
mod services;

use scrum::config;
use serde_json::Value;

use crate::{mock::Mock, sandbox::Sandbox};
use services::{SERVICES, Service, key_of, serve};

/// The ledger of a review by all services, each reviewer as `entry` writes it.
async fn ledger(entry: impl Fn(&Service, &str) -> String) -> String {
    let mock = Mock::start(|asked| std::future::ready(serve(&asked))).await;
    let host = mock.url.trim_end_matches("/v1");
    let sandbox = Sandbox::new();
    sandbox.script(
        "git commit -q --allow-empty -m start; echo 'a = 1' > a.py; git add -A; git commit -qm change",
    );
    let entries = SERVICES.iter().map(|service| {
        let query = if service.name == "azure-old" { "?api-version=2024-10-21" } else { "" };
        let base_url = format!("{host}/{}{}{query}", service.name, service.base);
        let head = format!(
            "[[reviewer]]\nid = \"{}\"\nmodel = \"{}\"\nbase_url = \"{base_url}\"\n",
            service.name, service.model
        );
        format!("{head}temperature = 0.5\nmax_output_tokens = 500\n{}\n", entry(service, &base_url))
    });
    let names: Vec<&str> = SERVICES.iter().map(|service| service.name).collect();
    let panel = format!("[panel.all]\nreviewers = {names:?}\n");
    sandbox.write("scrum.toml", panel + &entries.collect::<String>());
    let keys: Vec<(String, String)> = config::presets()
        .into_iter()
        .filter(|preset| preset.base_url.is_some())
        .filter_map(|preset| Some((preset.api_key_env?, key_of(&preset.name))))
        .collect();
    let keys: Vec<(&str, &str)> = keys.iter().map(|(name, key)| (name.as_str(), key.as_str())).collect();
    let printed =
        sandbox.scrum_with(&["review", "HEAD~1..HEAD", "--panel", "all", "--format", "json"], &keys);
    assert_eq!(printed.status, 0, "{printed:?}");
    let tally: Value = serde_json::from_str(&printed.stdout).unwrap();
    let line = |task: &Value| {
        let word = |key: &str| task[key].as_str().unwrap_or_default();
        let cost = task["cost_usd"].as_f64().map(|cost| format!(" ${cost}")).unwrap_or_default();
        format!(
            "{} {} x{} {}+{}{cost} {}",
            word("reviewer"),
            word("state"),
            task["attempts"],
            task["tokens_in"],
            task["tokens_out"],
            word("reason")
        )
    };
    let lines: Vec<String> =
        tally["coverage"].as_array().unwrap().iter().map(|task| line(task).trim().to_owned()).collect();
    lines.join("\n")
}

#[test]
fn every_endpoint_preset_is_tried() {
    let tried: Vec<&str> = SERVICES.iter().map(|service| service.preset).collect();
    let presets = config::presets();
    let endpoints = presets.iter().filter(|preset| preset.base_url.is_some());
    let untried: Vec<&str> =
        endpoints.map(|preset| preset.name.as_str()).filter(|name| !tried.contains(name)).collect();
    assert!(untried.is_empty(), "{untried:?}");
}

#[test]
fn every_preset_leads_to_the_path_of_its_service() {
    for service in SERVICES.iter().filter(|service| service.name == service.preset) {
        let presets = config::presets();
        let preset = presets.iter().find(|preset| preset.name == service.preset).unwrap();
        assert!(preset.base_url.as_deref().unwrap().ends_with(service.base), "{}", service.preset);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presets_ask_in_the_way_their_services_want() {
    let lines = ledger(|service, _| format!("preset = \"{}\"", service.preset)).await;
    insta::assert_snapshot!(lines, @"
    anthropic answered x1 70+30 $0.0001624
    anthropic-new answered x1 70+30 $0.000812 asked without temperature, which the model does not take
    azure answered x1 70+30 $0.0000631 asked without temperature, which the model does not take
    azure-old answered x1 70+30 $0.000284
    bedrock answered x1 70+30
    dashscope answered x1 70+30
    deepseek answered x1 70+30
    gemini answered x1 70+30
    groq answered x1 70+30
    litellm answered x1 70+30
    llama-cpp answered x1 70+30 $0
    lm-studio answered x1 70+30 $0
    mistral answered x1 70+30
    moonshot answered x1 70+30 asked without temperature, which the model does not take
    ollama answered x1 70+30 $0
    openai answered x1 70+30 $0.000284
    openai-new answered x1 70+30 $0.0001562 asked without temperature, which the model does not take
    openrouter answered x1 70+30 $0.0125
    vllm answered x1 70+30 $0
    xai answered x1 70+30
    ");
}

/// As somebody would write who knows no more than where the service is and which key opens it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_preset_says_is_learned() {
    let lines = ledger(|service, _| {
        let presets = config::presets();
        let preset = presets.iter().find(|preset| preset.name == service.preset).unwrap();
        let header = if service.preset == "azure" { "key_header = \"api-key\"\n" } else { "" };
        let key =
            preset.api_key_env.as_ref().map(|name| format!("api_key_env = \"{name}\"\n")).unwrap_or_default();
        format!("provider = \"{}\"\n{header}{key}", preset.provider)
    })
    .await;
    let (at_once, learned): (Vec<&str>, Vec<&str>) =
        lines.lines().partition(|line| line.contains(" answered x1 70+30"));
    assert_eq!(at_once.len() + learned.len(), SERVICES.len());
    insta::assert_snapshot!(learned.join("\n"), @"
    anthropic-new answered x2 70+30 $0.000812 asked without temperature, which the model does not take
    azure answered x3 70+30 $0.0000631 asked without temperature, which the model does not take
    azure-old answered x2 70+30 $0.000284
    groq answered x2 70+30
    mistral answered x2 70+30
    moonshot answered x2 70+30 asked without temperature, which the model does not take
    openai answered x2 70+30 $0.000284
    openai-new answered x3 70+30 $0.0001562 asked without temperature, which the model does not take
    ");
}
