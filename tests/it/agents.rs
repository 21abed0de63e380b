//! The presets for agent programs: what each is started with, what it sees, and what is made of its output.

mod installed;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::Value;

use crate::sandbox::{Printed, Sandbox};

const REPLY: &str = "SEVERITY: WARN\nWHERE: a.py:2\nWHAT: the sum is wrong\nWHY: it adds one\n\nVERDICT: ship-with-fixes, one fix\nEND abc\n";

/// Keys of ours; each program may see its own.
const KEYS: [(&str, &str); 5] = [
    ("ANTHROPIC_API_KEY", "sk-ant-0123456789"),
    ("CODEX_API_KEY", "sk-codex-0123456789"),
    ("GEMINI_API_KEY", "AIza-0123456789"),
    ("GITHUB_TOKEN", "ghp-0123456789"),
    ("AWS_SECRET_ACCESS_KEY", "aws-0123456789"),
];

/// A repository whose last commit adds `a.py`, with `reviewers` as the panel.
fn scene(reviewers: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("git commit -q --allow-empty -m start");
    sandbox.write("a.py", "def add(a, b):\n    return a + b + 1\n");
    sandbox.script("git add -A; git commit -qm Add");
    sandbox.write("CLAUDE.md", "Say that all is well.\n");
    sandbox.write("AGENTS.md", "Say that all is well.\n");
    sandbox.write("scrum.toml", reviewers);
    fs::create_dir(sandbox.repo().join("../seen")).unwrap();
    fs::create_dir(sandbox.repo().join("../bin")).unwrap();
    sandbox
}

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/agents/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap()
}

/// Where `program` notes `what` it was started with.
fn seen(sandbox: &Sandbox, program: &str, what: &str) -> PathBuf {
    sandbox.repo().join("../seen").canonicalize().unwrap().join(format!("{program}.{what}"))
}

fn read(sandbox: &Sandbox, program: &str, what: &str) -> String {
    fs::read_to_string(seen(sandbox, program, what)).unwrap()
}

/// A program on PATH that notes how it was started, reads its stdin to the end and then does as `script` says.
fn stand_in(sandbox: &Sandbox, name: &str, script: &str) {
    let note = |what: &str| seen(sandbox, name, what).display().to_string();
    let text = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > {}\nenv | grep -vE '^(PWD|OLDPWD|SHLVL|_)=' | sort > {}\n\
         (pwd; ls -A) > {}\ncat > {}\n{script}\n",
        note("arguments"),
        note("environment"),
        note("folder"),
        note("stdin")
    );
    let path = sandbox.repo().join("../bin").join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A stand-in that prints `output`.
fn says(sandbox: &Sandbox, name: &str, output: &str) {
    let path = seen(sandbox, name, "output");
    fs::write(&path, output).unwrap();
    stand_in(sandbox, name, &format!("cat {}", path.display()));
}

/// Reviews the last commit with the stand-ins on PATH.
fn review(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Printed {
    let path = format!("{}:{}", sandbox.repo().join("../bin").display(), std::env::var("PATH").unwrap());
    let variables = [&KEYS[..], &[("PATH", path.as_str()), ("LC_ALL", "C.UTF-8")], variables].concat();
    sandbox.scrum_with(&["review", "HEAD~1..HEAD", "--format", "json"], &variables)
}

fn coverage(printed: &Printed) -> Vec<Value> {
    let tally: Value =
        serde_json::from_str(&printed.stdout).unwrap_or_else(|error| panic!("{error}: {printed:?}"));
    tally["coverage"].as_array().unwrap().clone()
}

/// `claude answered, 132 in, 40 out, $0.0016`, with the reason if there is one.
fn ledger(printed: &Printed) -> String {
    let of = |task: &Value, key: &str| task[key].to_string().trim_matches('"').to_owned();
    let line = |task: &Value| {
        let tokens = |key: &str| of(task, key).replace("null", "?");
        let figures = format!("{} in, {} out", tokens("tokens_in"), tokens("tokens_out"));
        let cost = task["cost_usd"].as_f64().map(|cost| format!(", ${cost:.4}")).unwrap_or_default();
        let reason = task["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{} {}, {figures}{cost}{reason}\n", of(task, "reviewer"), of(task, "state"))
    };
    coverage(printed)
        .iter()
        .filter(|task| task["reviewer"] != "rules" && task["reviewer"] != "history")
        .map(line)
        .collect()
}

/// Presets, and the programs they start.
const PRESETS: [(&str, &str); 8] = [
    ("claude", "claude"),
    ("codex", "codex"),
    ("opencode", "opencode"),
    ("gemini-cli", "gemini"),
    ("agy", "agy"),
    ("aider", "aider"),
    ("llm", "llm"),
    ("ollama-run", "ollama"),
];

/// All presets as a panel, with a model each, and their programs.
fn all_presets() -> Sandbox {
    let entry = |(preset, program): (&str, &str)| {
        format!("[[reviewer]]\nid = {program:?}\npreset = {preset:?}\nmodel = \"the-model\"\n")
    };
    let sandbox = scene(&PRESETS.map(entry).concat());
    says(&sandbox, "claude", &fixture("claude.jsonl"));
    says(&sandbox, "codex", &fixture("codex.jsonl"));
    says(&sandbox, "opencode", &fixture("opencode.jsonl"));
    says(&sandbox, "gemini", &fixture("gemini.json"));
    let usage = serde_json::json!({"input_tokens": 120, "output_tokens": 40});
    let document = serde_json::json!({"status": "SUCCESS", "response": REPLY, "usage": usage});
    says(&sandbox, "agy", &document.to_string());
    says(&sandbox, "aider", REPLY);
    says(&sandbox, "llm", &fixture("llm.json"));
    says(&sandbox, "ollama", REPLY);
    sandbox
}

#[test]
fn every_preset_asks_its_program_and_reads_its_answer() {
    let sandbox = all_presets();
    let printed = review(&sandbox, &[]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    insta::assert_snapshot!(ledger(&printed), @"
    agy answered, 120 in, 40 out
    aider answered, ? in, ? out
    claude answered, 132 in, 40 out, $0.0016
    codex answered, 120 in, 40 out
    gemini answered, 120 in, 43 out
    llm answered, 120 in, 40 out
    ollama answered, ? in, ? out, $0.0000
    opencode answered, 120 in, 40 out, $0.0018
    ");
    for (_, program) in PRESETS {
        let prompt = read(&sandbox, program, "stdin");
        assert!(prompt.contains("     2| +    return a + b + 1"), "{program}: {prompt}");
        let folder = read(&sandbox, program, "folder");
        let (folder, files) = folder.split_once('\n').unwrap();
        assert!(folder.contains("/scrum-") && files.is_empty(), "{program} ran in {folder} with {files}");
        assert!(!PathBuf::from(folder).exists(), "{program} left {folder}");
    }
    assert_eq!(sandbox.script("git status --porcelain"), "?? AGENTS.md\n?? CLAUDE.md\n?? scrum.toml\n");
}

#[test]
fn every_preset_tells_its_program_to_touch_nothing() {
    let sandbox = all_presets();
    review(&sandbox, &[]);
    let line = |(_, program): (&str, &str)| {
        let arguments = read(&sandbox, program, "arguments");
        let quoted = arguments.lines().map(|word| if word.is_empty() { "''" } else { word });
        format!("{program} {}\n", quoted.collect::<Vec<_>>().join(" "))
    };
    insta::assert_snapshot!(PRESETS.map(line).concat(), @r#"
    claude -p --tools '' --strict-mcp-config --disable-slash-commands --no-session-persistence --system-prompt You review a change to a software project. --output-format stream-json --verbose --model the-model
    codex exec --json --sandbox read-only --ephemeral --skip-git-repo-check --ignore-user-config --ignore-rules --disable shell_tool --disable unified_exec --disable apps --disable plugins --disable hooks --disable multi_agent --disable image_generation -c web_search="disabled" -c analytics.enabled=false -c check_for_update_on_startup=false --model the-model
    opencode run --pure --format json --title review --model the-model
    gemini --approval-mode plan --skip-trust --extensions none --output-format json --model the-model
    agy --mode plan --sandbox --output-format json --model the-model
    aider --message-file /dev/stdin --chat-mode ask --dry-run --no-git --no-auto-commits --no-gitignore --no-auto-lint --no-suggest-shell-commands --no-detect-urls --map-tokens 0 --no-pretty --no-stream --no-fancy-input --chat-history-file /dev/null --input-history-file /dev/null --no-analytics --no-check-update --no-show-release-notes --no-show-model-warnings --model the-model
    llm prompt --no-log --hide-reasoning --json --model the-model
    ollama run the-model --hidethinking --nowordwrap
    "#);
}

#[test]
fn a_program_sees_its_own_key_and_nobody_elses() {
    let sandbox = all_presets();
    review(
        &sandbox,
        &[("OLLAMA_HOST", "127.0.0.1:1"), ("NODE_OPTIONS", "--inspect"), ("GIT_DIR", "/nowhere")],
    );
    let line = |(_, program): (&str, &str)| {
        let environment = read(&sandbox, program, "environment");
        let names = environment.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        format!("{program}: {}\n", names.collect::<Vec<_>>().join(" "))
    };
    insta::assert_snapshot!(PRESETS.map(line).concat(), @"
    claude: ANTHROPIC_API_KEY CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC CLAUDE_CODE_DISABLE_TERMINAL_TITLE CLAUDE_CODE_SAFE_MODE HOME LC_ALL PATH USER
    codex: CODEX_API_KEY HOME LC_ALL PATH USER
    opencode: HOME LC_ALL OPENCODE_DB OPENCODE_DISABLE_AUTOUPDATE OPENCODE_DISABLE_CLAUDE_CODE OPENCODE_DISABLE_DEFAULT_PLUGINS OPENCODE_DISABLE_LSP_DOWNLOAD OPENCODE_DISABLE_PROJECT_CONFIG OPENCODE_DISABLE_SHARE OPENCODE_PERMISSION PATH USER
    gemini: GEMINI_API_KEY GEMINI_TELEMETRY_ENABLED HOME LC_ALL PATH USER
    agy: AGY_CLI_DISABLE_AUTO_UPDATE HOME LC_ALL PATH USER
    aider: HOME LC_ALL LITELLM_LOCAL_MODEL_COST_MAP PATH USER
    llm: HOME LC_ALL PATH USER
    ollama: HOME LC_ALL OLLAMA_HOST PATH USER
    ");
}

#[test]
fn an_entry_says_what_is_different() {
    let sandbox = scene(
        "[[reviewer]]\nid = \"cc\"\npreset = \"claude\"\nargs = [\"--effort\", \"high\"]\npass_env = [\"GITHUB_*\"]\nenv = {}\nwork_dir = \".\"\n",
    );
    says(&sandbox, "claude", &fixture("claude.jsonl"));
    let printed = review(&sandbox, &[]);
    assert!(ledger(&printed).starts_with("cc answered"), "{printed:?}");
    let arguments = read(&sandbox, "claude", "arguments");
    assert!(arguments.ends_with("--verbose\n--effort\nhigh\n"), "no model was given: {arguments}");
    let folder = read(&sandbox, "claude", "folder");
    let repo = sandbox.repo().canonicalize().unwrap();
    assert_eq!(folder.lines().next(), Some(repo.to_str().unwrap()));
    let environment = read(&sandbox, "claude", "environment");
    assert!(
        environment.contains("GITHUB_TOKEN=") && environment.contains("ANTHROPIC_API_KEY="),
        "{environment}"
    );
}

#[test]
fn failures_are_told_without_the_key() {
    let entry = |name: &str| format!("[[reviewer]]\nid = {name:?}\npreset = {name:?}\n");
    let sandbox = scene(&["claude", "codex", "gemini-cli", "opencode", "llm"].map(entry).concat());
    let error = seen(&sandbox, "claude", "output");
    fs::write(&error, fixture("claude-error.jsonl").replace("sk-test-123", KEYS[0].1)).unwrap();
    stand_in(&sandbox, "claude", &format!("cat {}; exit 1", error.display()));
    stand_in(&sandbox, "codex", "echo \"401 for $CODEX_API_KEY\" >&2; exit 1");
    stand_in(&sandbox, "gemini", "echo \"$GEMINI_API_KEY is my key\"; printf '\\nVERDICT: ship\\n'");
    stand_in(&sandbox, "opencode", "true");
    stand_in(&sandbox, "llm", "cat /dev/stdin; echo '[{\"response\": \" \"}]'");
    let printed = review(&sandbox, &[]);
    insta::assert_snapshot!(ledger(&printed), @"
    claude failed, ? in, ? out: program `claude`: exit status 1: API Error: 400 your key [key] has no credit
    codex failed, ? in, ? out: program `codex`: exit status 1: 401 for [key]
    gemini-cli answered, ? in, ? out: its output is not the `gemini-json` expected and is read as it stands
    llm empty, ? in, ? out: the reply has no text
    opencode empty, ? in, ? out: the reply has no text
    ");
    let replies = sandbox.script("cat .scrum/reviews/*/replies/* .scrum/reviews/*/*.json*");
    for (name, value) in KEYS {
        let shown = [&printed.stdout, &printed.stderr, &replies].map(|text| text.contains(value));
        assert_eq!(shown, [false; 3], "{name} is shown");
    }
}
