//! Whole screens of `scrum doctor`.

use serde_json::{Value, json};

use super::{KEY, Machine, ollama};
use crate::mock::{Act, Asked, Mock, json_page};

#[test]
fn an_empty_machine() {
    let machine = Machine::new();
    let printed = machine.scrum(&["doctor"]);
    insta::assert_snapshot!(machine.shown(&printed), @"
    scrum           0.1.0
    repository      /repo, branch main
    a review reads  HEAD
    configuration   none (scrum.toml in the repository, or your own)
    git             not found; scrum reads repositories by itself

    Asked by `scrum review`, since nobody is configured
    reviewer  what      lineage       state
    rules     built in  static:rules  ready
    history   built in  history       ready

    Looked for, not found
      keys: ANTHROPIC_API_KEY, AZURE_OPENAI_API_KEY, AWS_BEARER_TOKEN_BEDROCK, DASHSCOPE_API_KEY,
        DEEPSEEK_API_KEY, GEMINI_API_KEY, GROQ_API_KEY, LITELLM_PROXY_API_KEY, MISTRAL_API_KEY,
        MOONSHOT_API_KEY, OPENAI_API_KEY, OPENROUTER_API_KEY, XAI_API_KEY, CODEX_API_KEY

    2 of 2 reviewers can run: no model among them, and 2 of tools and records
    Next: `scrum init` writes down whom to ask; `scrum review` works as it is.
    ");
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_programs_and_models_that_nobody_configured() {
    let mock = ollama("ready").await;
    let machine = Machine::new()
        .with_key("OPENAI_API_KEY")
        .with_key("OPENROUTER_API_KEY")
        .with_key("AZURE_OPENAI_API_KEY")
        .with_program("claude", "echo ready")
        .with_program("git", "")
        .with_ollama(&mock);
    let printed = machine.scrum(&["doctor"]);
    insta::assert_snapshot!(machine.shown(&printed), @r#"
    scrum           0.1.0
    repository      /repo, branch main
    a review reads  HEAD
    configuration   none (scrum.toml in the repository, or your own)
    git             1.2.3

    Asked by `scrum review`, since nobody is configured
    reviewer                what                                lineage       state
    rules                   built in                            static:rules  ready
    history                 built in                            history       ready
    ollama-qwen3-coder-30b  qwen3-coder:30b at OLLAMA  alibaba       ready
    ollama-gemma3           gemma3:latest at OLLAMA    google        ready

    Asked too, unless with `--panel offline`: these are shown the change outside of this machine
    reviewer         what                                   lineage    state
    openai           gpt-6.1-sol at api.openai.com          openai     ready
    claude           program claude 1.2.3                   anthropic  ready
    openrouter-kimi  moonshotai/kimi-k2.6 at openrouter.ai  moonshot   ready

    Found here, not asked
    reviewer           what                                        lineage    state
    openrouter-claude  anthropic/claude-sonnet-5 at openrouter.ai  anthropic  ready; claude is of the
                                                                              same lineage
    openrouter-gpt     openai/gpt-5.5 at openrouter.ai             openai     ready; openai is of the
                                                                              same lineage
    ollama-qwen3-8b    qwen3:8b at OLLAMA                 alibaba    ready;
                                                                              ollama-qwen3-coder-30b is
                                                                              of the same lineage
    azure              {resource}.openai.azure.com                            AZURE_OPENAI_API_KEY is
                                                                              set; which model?
    ollama             gpt-oss:120b-cloud at OLLAMA                  passes what it is told on
                                                                              to its maker
      → openrouter-claude: `preset = "openrouter"`, `model = "anthropic/claude-sonnet-5"`
      → openrouter-gpt: `preset = "openrouter"`, `model = "openai/gpt-5.5"`
      → ollama-qwen3-8b: `preset = "ollama"`, `model = "qwen3:8b"`
      → azure: `preset = "azure"` and a `model`
      → ollama: `preset = "ollama"`, `model = "gpt-oss:120b-cloud"`

    Looked for, not found
      keys: ANTHROPIC_API_KEY, AWS_BEARER_TOKEN_BEDROCK, DASHSCOPE_API_KEY, DEEPSEEK_API_KEY,
        GEMINI_API_KEY, GROQ_API_KEY, LITELLM_PROXY_API_KEY, MISTRAL_API_KEY, MOONSHOT_API_KEY,
        XAI_API_KEY, CODEX_API_KEY

    7 of 7 reviewers can run: 5 lineages of models (alibaba, anthropic, google, moonshot, openai), and 2
    of tools and records
    Next: `scrum init` writes down whom to ask; `scrum review` works as it is.
    "#);
    assert_eq!(printed.status, 0, "{printed:?}");
    let asked: Vec<String> = mock.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(asked, ["/api/tags"], "nobody is asked anything without --probe");
}

const PANEL: &str = r#"
[[reviewer]]
id = "kimi"
preset = "openrouter"
model = "moonshotai/kimi-k2"
[[reviewer]]
id = "cc"
preset = "claude"
[[reviewer]]
id = "coder"
preset = "ollama"
model = "qwen3-coder"
base_url = "http://127.0.0.1:1/v1"
[[reviewer]]
id = "codex"
provider = "command"
command = ["codex", "exec"]
[[reviewer]]
id = "old"
provider = "replay"
model = "claude-opus-4-7"
dir = "/nowhere/saved"
"#;

#[test]
fn what_each_configured_reviewer_lacks() {
    let machine = Machine::new().with_program("claude", "echo ready");
    machine.sandbox.write("scrum.toml", PANEL);
    let printed = machine.scrum(&["doctor"]);
    let shown = machine.shown(&printed);
    insta::assert_snapshot!(shown.split("\nLooked for").next().unwrap(), @"
    scrum           0.1.0
    repository      /repo, branch main
    a review reads  HEAD
    configuration   scrum.toml: 5 reviewers
    git             not found; scrum reads repositories by itself

    Reviewers
    reviewer  what                                 lineage       state
    rules     built in                             static:rules  ready
    history   built in                             history       ready
    kimi      moonshotai/kimi-k2 at openrouter.ai  moonshot      OPENROUTER_API_KEY is not set
    cc        program claude 1.2.3                 anthropic     ready
    coder     qwen3-coder at OLLAMA           alibaba       nothing listens at OLLAMA
    codex     program codex                        openai        program codex is not found
    old       claude-opus-4-7, saved replies       anthropic     there is no folder /nowhere/saved
      → kimi: make a key at openrouter.ai/keys, then export OPENROUTER_API_KEY=…
      → coder: start the server
      → codex: install it with `npm install -g @openai/codex`, then log in with `codex login`
      → old: correct `dir`
    ");
    insta::assert_snapshot!(shown.lines().rev().take(2).collect::<Vec<_>>().join("\n"), @"
    sent.
    Next: `scrum doctor --probe` tries each of them once, `scrum review --dry-run` shows what would be
    ");
    assert_eq!(printed.status, 0, "{printed:?}");
}

#[test]
fn tools_that_npx_starts_are_there_when_the_project_has_them() {
    let state = |files: &[(&str, &str)], configured: bool| {
        let machine = Machine::new().with_program("npx", "echo 10.9.0");
        for (path, text) in files {
            machine.sandbox.write(path, text);
        }
        if configured {
            machine.sandbox.write("scrum.toml", "[[reviewer]]\nid = \"eslint\"\npreset = \"eslint\"\n");
        }
        let printed = machine.scrum(&["doctor", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
        let groups = report["groups"].as_array().unwrap().iter();
        let checks = groups.flat_map(|group| group["checks"].as_array().unwrap());
        let found: Vec<String> = checks
            .filter(|check| check["reviewer"] == "eslint")
            .map(|check| {
                let word = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
                [word("state"), word("problem"), word("remark")].concat()
            })
            .collect();
        found.join("; ")
    };
    let needs = "{\"devDependencies\": {\"eslint\": \"^9\"}}";
    let installed = [("package.json", needs), ("node_modules/.bin/eslint", "")];
    let rest = "it runs code of the repository, so only where you name it";
    assert_eq!(state(&[], false), "");
    assert_eq!(
        state(&[("package.json", needs)], false),
        format!("sparein package.json, not installed: `npm install`; {rest}")
    );
    assert_eq!(state(&installed, false), format!("sparein node_modules; {rest}"));
    assert_eq!(state(&[], true), "noteslint is neither in node_modules nor in package.json");
    assert_eq!(state(&[("package.json", needs)], true), "noteslint is in package.json and not installed");
    assert_eq!(state(&installed, true), "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_ollama_does_not_have() {
    let mock = ollama("ready").await;
    let machine = Machine::new().with_ollama(&mock);
    let at = format!("base_url = \"{}\"", mock.url);
    let reviewer = |id: &str, model: &str| {
        format!("[[reviewer]]\nid = \"{id}\"\npreset = \"ollama\"\nmodel = \"{model}\"\n{at}\n")
    };
    machine.sandbox.write("scrum.toml", reviewer("here", "gemma3") + &reviewer("gone", "llama3"));
    let document: Value =
        serde_json::from_str(&machine.scrum(&["doctor", "--format", "json"]).stdout).unwrap();
    let checks = document["groups"][0]["checks"].as_array().unwrap();
    let state = |id: &str| checks.iter().find(|check| check["reviewer"] == id).unwrap().clone();
    assert_eq!(state("here")["state"], "ready");
    assert_eq!(state("gone")["problem"], "Ollama has no model llama3");
    assert!(
        state("gone")["remedy"]
            .as_str()
            .unwrap()
            .starts_with("`ollama pull llama3`; it has qwen3-coder:30b, ")
    );
    assert_eq!(document["schema"], "scrum.doctor/1");
    assert_eq!(document["outcome"]["model_lineages"], json!(["google"]));
    assert_eq!(document["can_review"], true);
}

/// A server that tells everybody what it was sent.
fn gossip(asked: &Asked) -> Act {
    let Some(header) = asked.headers.get("authorization") else {
        return json_page(404, &json!({"error": "no list"}));
    };
    let header = header.to_str().unwrap();
    match asked.body["model"].as_str().unwrap() {
        "claude-refused" => json_page(401, &json!({"error": {"message": format!("bad key: {header}")}})),
        "gpt-mute" => Act::Stream(vec![b"data: [DONE]\n\n".to_vec()]),
        _ => Act::Reply(format!("ready, {header}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_asks_each_model_once_and_prints_no_key() {
    let mock = Mock::start(|asked| std::future::ready(gossip(&asked))).await;
    let machine = Machine::new().with_key("MOCK_KEY").with_program("claude", "echo ready");
    let machine = machine.with_program("broken", "echo \"no login\" >&2; exit 3");
    let model = |id: &str, model: &str, key: &str| {
        let price = "price = { input = 100000, output = 100000 }";
        format!(
            "[[reviewer]]\nid = \"{id}\"\nprovider = \"openai\"\nmodel = \"{model}\"\nbase_url = \"{}\"\napi_key_env = \"{key}\"\n{price}\n",
            mock.url
        )
    };
    let program = |id: &str| {
        format!(
            "[[reviewer]]\nid = \"{id}\"\nprovider = \"command\"\nlineage = \"x\"\ncommand = [\"{id}\"]\n"
        )
    };
    machine.sandbox.write(
        "scrum.toml",
        model("fine", "kimi-k2", "MOCK_KEY")
            + &model("refused", "claude-refused", "MOCK_KEY")
            + &model("mute", "gpt-mute", "MOCK_KEY")
            + &model("keyless", "qwen3", "OTHER_KEY")
            + &program("claude")
            + &program("broken"),
    );
    let printed = machine.scrum(&["doctor", "--probe"]);
    let shown = machine.shown(&printed).replace(mock.url.trim_end_matches("/v1"), "http://MOCK");
    let shown = shown.replace(mock.url.trim_start_matches("http://").trim_end_matches("/v1"), "MOCK");
    let panel = shown.split("\nReviewers\n").nth(1).unwrap();
    insta::assert_snapshot!(panel.split("\nFound here").next().unwrap(), @"
    reviewer  what                               lineage       state
    rules     built in                           static:rules  ready
    history   built in                           history       ready
    fine      kimi-k2 at MOCK         moonshot      answered in T s, 7 + 3 tokens, $1.00
    refused   claude-refused at MOCK  anthropic     failed
    mute      gpt-mute at MOCK        openai        failed
    keyless   qwen3 at MOCK           alibaba       OTHER_KEY is not set
    claude    program claude 1.2.3               x             answered in T s
    broken    program broken 1.2.3               x             failed
      → refused: HTTP 401 Unauthorized: the key in MOCK_KEY was not accepted: bad key: Bearer [key]
      → mute: the answer has no text
      → keyless: export OTHER_KEY=…
      → broken: program `broken`: exit status 3: no login
    ");
    assert_eq!(printed.status, 0, "{printed:?}");
    let keys: Vec<_> =
        mock.asked().into_iter().filter_map(|mut asked| asked.headers.remove("authorization")).collect();
    assert_eq!(keys, vec![format!("Bearer {KEY}"); 3]);
}

#[test]
fn a_broken_configuration_does_not_hide_the_rest() {
    let machine = Machine::new().with_key("OPENAI_API_KEY");
    machine.sandbox.write("scrum.toml", "[review]\nconcurency = 3\n");
    let printed = machine.scrum(&["doctor"]);
    assert_eq!(printed.status, 2, "{printed:?}");
    let shown = machine.shown(&printed);
    insta::assert_snapshot!(shown.split("\nLooked for").next().unwrap(), @"
    scrum           0.1.0
    repository      /repo, branch main
    a review reads  HEAD
    configuration   cannot be used; what follows is without it
    git             not found; scrum reads repositories by itself
    ! /repo/scrum.toml:2: unknown field `concurency`, expected one of `panel`,
      `concurrency`, `timeout_secs`, `idle_timeout_secs`, `max_cost_usd`, `max_tokens`, `fail_on`,
      `min_lineages`
    ! hint: did you mean `concurrency`?

    Asked by `scrum review`, since nobody is configured
    reviewer  what      lineage       state
    rules     built in  static:rules  ready
    history   built in  history       ready

    Asked too, unless with `--panel offline`: these are shown the change outside of this machine
    reviewer  what                           lineage  state
    openai    gpt-6.1-sol at api.openai.com  openai   ready
    ");
    assert!(shown.ends_with("Next: correct the configuration."), "{shown}");
}

#[test]
fn too_few_reviewers_for_what_is_asked() {
    let machine = Machine::new();
    machine.sandbox.write("scrum.toml", "[review]\nmin_lineages = 3\n");
    let printed = machine.scrum(&["doctor"]);
    assert_eq!(printed.status, 3, "{printed:?}");
    assert!(
        printed.stdout.contains(
            "2 of 2 reviewers can run: no model among them, and 2 of tools and records; 3 lineages asked for"
        ),
        "{}",
        printed.stdout
    );
}

#[test]
fn no_repository_and_an_ollama_elsewhere() {
    let machine = Machine::new().with("OLLAMA_HOST", "gpu.invalid");
    machine.sandbox.script("rm -rf .git");
    let printed = machine.scrum(&["doctor"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert!(
        printed.stdout.contains("none here; `scrum review --diff FILE` needs none"),
        "{}",
        printed.stdout
    );
    assert!(
        printed.stdout.replace("\n    ", " ").contains("gpu.invalid:11434 (not on this machine, not asked)"),
        "{}",
        printed.stdout
    );
}

#[test]
fn a_stand_in_is_shown_with_whom_it_covers() {
    let machine = Machine::new().with_key("ANTHROPIC_API_KEY").with_key("OPENROUTER_API_KEY");
    machine.sandbox.write(
        "scrum.toml",
        "[[reviewer]]\nid = \"opus\"\npreset = \"anthropic\"\nmodel = \"claude-opus-4-7\"\nfallback = [\"router\"]\n\
         [[reviewer]]\nid = \"router\"\npreset = \"openrouter\"\nmodel = \"anthropic/claude-opus-4-7\"\n",
    );
    let printed = machine.scrum(&["doctor"]);
    let row = printed.stdout.lines().find(|line| line.starts_with("router")).unwrap();
    assert!(row.ends_with("ready; stands in for opus"), "{}", printed.stdout);
    let shown: Value = serde_json::from_str(&machine.scrum(&["doctor", "--format", "json"]).stdout).unwrap();
    let checks = shown["groups"][0]["checks"].as_array().unwrap();
    let router = checks.iter().find(|check| check["reviewer"] == "router").unwrap();
    assert_eq!(router["stands_in_for"], json!(["opus"]));
}
