//! Files that `scrum init` writes, in repositories of several kinds.

use std::fs;

use super::{Machine, ollama};

/// A machine whose repository has `files`, all of them empty.
fn repository(files: &[&str]) -> Machine {
    let machine = Machine::new();
    for file in files {
        machine.sandbox.write(file, "");
    }
    machine.sandbox.script("git add -A; git commit -q --allow-empty -m files");
    machine
}

/// Writes the file, which must be one that scrum can use, and gives its text.
fn written(machine: &Machine) -> String {
    let printed = machine.scrum(&["init"]);
    assert_eq!((printed.status, printed.stdout.as_str()), (0, ""), "{printed:?}");
    let doctor = machine.scrum(&["doctor"]);
    assert_eq!(doctor.status, 0, "{doctor:?}");
    fs::read_to_string(machine.sandbox.repo().join("scrum.toml")).unwrap()
}

#[test]
fn an_empty_repository_on_an_empty_machine() {
    insta::assert_snapshot!(written(&repository(&[])), @r#"
    # Who reviews changes of this repository, and how. `scrum doctor` tells whether each reviewer can run,
    # `scrum review --dry-run` what would be sent to whom.

    [review]
    panel = "auto"            # auto: every reviewer below; offline: only those that scrum brings along

    [gate]
    # fail_on = "block"       # never | any | warn | block | convergent: exit status 1 when there is such an issue
    # min_lineages = 3        # fewest families that must have answered; `rules` and `history` are one each

    # Reviewers. Models of one family count as one voice, so different families are worth more than many models.
    # `rules` and `history` need nothing and are always there. Keys stay in the environment: only names are written here.

    # No model was found on this machine. Any of these makes one a reviewer:

    # [[reviewer]]             # a service: put its key into the variable
    # id = "claude"
    # preset = "openrouter"    # OPENROUTER_API_KEY
    # model = "anthropic/claude-sonnet-5"

    # [[reviewer]]             # a model on this machine
    # id = "qwen"
    # preset = "ollama"
    # model = "qwen3-coder:30b"
    "#);
}

const WORKSPACE: [&str; 10] = [
    "Cargo.toml",
    "README.md",
    "crates/core/Cargo.toml",
    "crates/core/src/lib.rs",
    "crates/core/src/auth/mod.rs",
    "crates/core/macros/Cargo.toml",
    "crates/[odd]/Cargo.toml",
    "docs/a.md",
    ".github/workflows/ci.yml",
    "migrations/1.sql",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rust_workspace_with_everything() {
    let mock = ollama("ready").await;
    let machine = repository(&WORKSPACE).with_key("OPENAI_API_KEY").with_key("OPENROUTER_API_KEY");
    let machine = machine.with_program("claude", "echo ready").with_ollama(&mock);
    let text = written(&machine);
    insta::assert_snapshot!(text.replace(&mock.url, "URL"), @r#"
    # Who reviews changes of this repository, and how. `scrum doctor` tells whether each reviewer can run,
    # `scrum review --dry-run` what would be sent to whom.

    [review]
    panel = "auto"            # auto: every reviewer below; offline: only those that scrum brings along

    [gate]
    # fail_on = "block"       # never | any | warn | block | convergent: exit status 1 when there is such an issue
    # min_lineages = 4        # fewest families that must have answered; `rules` and `history` are one each

    # Reviewers. Models of one family count as one voice, so different families are worth more than many models.
    # `rules` and `history` need nothing and are always there. Keys stay in the environment: only names are written here.

    [[reviewer]]
    id = "openai"             # openai; key in OPENAI_API_KEY
    preset = "openai"
    model = "gpt-6.1-sol"

    [[reviewer]]
    id = "claude"             # anthropic; program `claude`
    preset = "claude"

    [[reviewer]]
    id = "openrouter-kimi"    # moonshot; key in OPENROUTER_API_KEY
    preset = "openrouter"
    model = "moonshotai/kimi-k2.6"

    [[reviewer]]
    id = "ollama-qwen3-coder-30b"  # alibaba; on this machine, no key
    preset = "ollama"
    model = "qwen3-coder:30b"
    base_url = "URL"

    [[reviewer]]
    id = "ollama-gemma3"      # google; on this machine, no key
    preset = "ollama"
    model = "gemma3:latest"
    base_url = "URL"

    # Found on this machine too, of a family that is asked already:
    # [[reviewer]]
    # id = "openrouter-claude"  # anthropic; key in OPENROUTER_API_KEY
    # preset = "openrouter"
    # model = "anthropic/claude-sonnet-5"

    # [[reviewer]]
    # id = "openrouter-gpt"     # openai; key in OPENROUTER_API_KEY
    # preset = "openrouter"
    # model = "openai/gpt-5.5"

    # [[reviewer]]
    # id = "ollama-qwen3-8b"    # alibaba; on this machine, no key
    # preset = "ollama"
    # model = "qwen3:8b"
    # base_url = "URL"

    # Panels: sets of reviewers for `--panel NAME` and for the rules below.

    [panel.light]
    reviewers = ["rules", "history", "openai"]

    # Routes: a file takes the first rule that fits it, and a bundle is put to the panels of all its files.

    [[route]]
    paths = ["crates/core/src/auth/**", "migrations/**"]
    panel = "auto"

    [[route]]
    paths = ["docs/**", "*.md"]
    panel = "light"

    # Components: a change is cut into bundles along these. They are what scrum infers by itself; name them as you like.

    [bundle]
    split = "always"          # cut them further where a change to one is large, as if they were inferred

    [[component]]
    name = "github"
    paths = [".github/**"]

    [[component]]
    name = "odd"
    paths = ["crates/[[]odd[]]/**"]

    [[component]]
    name = "macros"
    paths = ["crates/core/macros/**"]

    [[component]]
    name = "core"
    paths = ["crates/core/**"]

    [[component]]
    name = "docs"
    paths = ["docs/**"]

    [[component]]
    name = "migrations"
    paths = ["migrations/**"]
    "#);
    let dry = machine.scrum(&["review", "HEAD~1..HEAD", "--dry-run"]);
    assert_eq!(dry.status, 0, "{dry:?}");
    let again = machine.scrum(&["init", "--stdout"]);
    assert_eq!(again.stdout, text, "the same findings give the same file");
}

/// The names and paths of the components.
fn components(text: &str) -> Vec<String> {
    let table: toml::Table = text.parse().unwrap();
    let components = table.get("component").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    components
        .iter()
        .map(|one| format!("{} {}", one["name"].as_str().unwrap(), one["paths"][0].as_str().unwrap()))
        .collect()
}

#[test]
fn components_are_those_that_a_review_infers() {
    let check = |files: &[&str], expect: &[&str]| {
        let machine = repository(files);
        assert_eq!(components(&written(&machine)), expect);
        let printed = machine.scrum(&["bundle", "HEAD~1..HEAD", "--dry-run", "--format", "json"]);
        assert_eq!(printed.status, 0, "{printed:?}");
    };
    check(&["go.mod", "cmd/app/main.go", "internal/auth/a.go"], &["cmd cmd/**", "internal internal/**"]);
    check(
        &[
            "package.json",
            "packages/ui/package.json",
            "packages/ui/src/a.ts",
            "packages/api/package.json",
            "apps/web/package.json",
        ],
        &["web apps/web/**", "api packages/api/**", "ui packages/ui/**"],
    );
    check(&["README.md"], &[]);
}

#[test]
fn nothing_is_overwritten_without_being_asked() {
    let machine = repository(&["src/a.rs"]);
    machine.sandbox.write("scrum.toml", "[review]\nnonsense = 1\n");
    let printed = machine.scrum(&["init"]);
    assert_eq!(printed.status, 2);
    insta::assert_snapshot!(printed.stderr, @"
    error: there is a scrum.toml already
    hint: `--force` replaces it, `--stdout` only shows what would be written
    ");
    assert_eq!(
        fs::read_to_string(machine.sandbox.repo().join("scrum.toml")).unwrap(),
        "[review]\nnonsense = 1\n"
    );
    let shown = machine.scrum(&["init", "--stdout"]);
    assert_eq!((shown.status, shown.stderr.as_str()), (0, ""), "{shown:?}");
    let elsewhere = machine.scrum(&["init", "-o", "other.toml"]);
    assert_eq!(elsewhere.status, 0, "{elsewhere:?}");
    assert_eq!(fs::read_to_string(machine.sandbox.repo().join("other.toml")).unwrap(), shown.stdout);
    let forced = machine.scrum(&["init", "--force"]);
    insta::assert_snapshot!(forced.stderr, @"
    note: wrote scrum.toml: 2 reviewers (rules and history), 1 component
    note: next: `scrum review`, or add models first: `scrum doctor` says what was looked for
    ");
    assert_eq!(machine.scrum(&["doctor"]).status, 0);
}

#[test]
fn the_panel_that_init_wrote_decides_about_what_comes_later() {
    let asks = |panel: &str| {
        let machine = repository(&["src/a.rs"]);
        let text = written(&machine).replace("panel = \"auto\"", &format!("panel = \"{panel}\""));
        machine.sandbox.write("scrum.toml", text);
        machine.sandbox.script("git add -A; git commit -qm settings");
        let machine = machine.with_change().with_program("claude", "echo 'VERDICT: ship'");
        let printed = machine.scrum(&["review"]);
        assert_eq!(printed.status, 0, "{printed:?}");
        printed.stdout.contains("claude (anthropic) says ship")
    };
    assert!(asks("auto"));
    assert!(!asks("offline"));
}
