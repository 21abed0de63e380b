//! Who is asked where nobody is configured.

use super::{Machine, ollama};

/// `rules, history`: who sat on the panel of the newest run.
fn panel(machine: &Machine) -> Vec<String> {
    let tally = machine.scrum(&["tally", "latest", "--format", "json"]).stdout;
    let tally: serde_json::Value = serde_json::from_str(&tally).unwrap();
    tally["panel"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seat| seat["reviewer"].as_str().unwrap().to_owned())
        .collect()
}

const NOTHING: &str = "echo 'VERDICT: ship'";

#[test]
fn an_empty_machine_asks_those_that_scrum_brings_along() {
    let machine = Machine::new().with_change();
    let printed = machine.scrum(&["review"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert_eq!(panel(&machine), ["history", "rules"]);
    assert!(!printed.stderr.contains("found too"), "{}", printed.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_shown_the_change_before_somebody_said_so() {
    let mock = ollama("VERDICT: ship").await;
    let machine = Machine::new().with_change().with_key("OPENAI_API_KEY").with_ollama(&mock);
    let machine = machine.with_program("claude", "echo asked > asked; echo 'VERDICT: ship'");
    let printed = machine.scrum(&["review"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert_eq!(panel(&machine), ["history", "ollama-gemma3", "ollama-qwen3-coder-30b", "rules"]);
    let note = printed.stderr.lines().find(|line| line.starts_with("note: found too")).unwrap();
    insta::assert_snapshot!(note, @"note: found too, and not asked, since they would be shown the change: openai (gpt-6.1-sol at api.openai.com) and claude (program claude). `--panel auto` asks them, `scrum init` writes down whom to ask");
    assert!(!machine.sandbox.repo().join("asked").exists());
    let models: Vec<_> =
        mock.asked().iter().filter_map(|asked| asked.body["model"].as_str().map(str::to_owned)).collect();
    assert_eq!(models.len(), 2, "{models:?}");
}

#[test]
fn who_is_asked_is_said_before() {
    let machine = Machine::new().with_change().with_program("claude", NOTHING);
    for arguments in [&["review", "--panel", "auto"][..], &["review", "-r", "claude", "-r", "rules"]] {
        let printed = machine.scrum(arguments);
        assert_eq!(printed.status, 0, "{printed:?}");
        assert!(panel(&machine).contains(&"claude".to_owned()));
        let first = printed.stderr.lines().next().unwrap();
        insta::allow_duplicates! { insta::assert_snapshot!(first, @"note: asking claude (program claude): about 122 tokens of diff"); }
    }
    let machine = machine.with("SCRUM_PANEL", "auto");
    machine.scrum(&["review"]);
    assert!(panel(&machine).contains(&"claude".to_owned()));
    let machine = machine.with("SCRUM_PANEL", "offline");
    machine.scrum(&["review"]);
    assert_eq!(panel(&machine), ["history", "rules"]);
}

#[test]
fn a_dry_run_shows_whom_auto_would_ask_and_asks_nobody() {
    let machine = Machine::new().with_change().with_key("OPENAI_API_KEY");
    let machine = machine.with_program("claude", "echo asked > asked");
    let printed = machine.scrum(&["review", "--panel", "auto", "--dry-run"]);
    assert!(printed.stdout.contains("would ask openai: gpt-"), "{}", printed.stdout);
    assert!(printed.stdout.contains("would ask claude: claude, lineage anthropic, by its program"));
    assert!(!machine.sandbox.repo().join("asked").exists());
}

#[test]
fn whoever_is_configured_is_asked_and_nobody_else() {
    let machine = Machine::new().with_change().with_program("claude", NOTHING).with_key("OPENAI_API_KEY");
    machine.sandbox.write("saved/old.md", "VERDICT: ship\n");
    machine
        .sandbox
        .write("scrum.toml", "[[reviewer]]\nid = \"old\"\nprovider = \"replay\"\ndir = \"saved\"\n");
    let printed = machine.scrum(&["review", "--panel", "auto"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert_eq!(panel(&machine), ["history", "old", "rules"]);
}

#[test]
fn a_run_with_those_found_can_be_resumed() {
    let machine = Machine::new().with_change().with_program("claude", "exit 1");
    machine.scrum(&["review", "--panel", "auto"]);
    let machine = machine.with_program("claude", NOTHING);
    let printed = machine.scrum(&["review", "--resume", "latest"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert!(printed.stdout.contains("Coverage: all 3 answered"), "{}", printed.stdout);
}

#[test]
fn a_program_that_the_change_brings_is_not_asked() {
    let machine = Machine::new();
    let tools = machine.sandbox.repo().join("tools");
    machine.sandbox.write("tools/claude", "#!/bin/sh\necho asked > ../asked; echo 'VERDICT: ship'\n");
    machine.sandbox.script("chmod +x tools/claude; git add -A; git commit -qm tools");
    let machine = machine.with("PATH", tools.to_str().unwrap());
    let printed = machine.scrum(&["review", "HEAD~1..HEAD", "--panel", "auto"]);
    assert!(!machine.sandbox.repo().join("asked").exists(), "{printed:?}");
}
