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

/// The notes on `stderr` with the lines that belong to them, but for where the run is kept.
fn notes(machine: &Machine, stderr: &str) -> String {
    let home = machine.sandbox.home();
    let lines = stderr.lines().scan(false, |in_note, line| {
        *in_note = line.starts_with("note: ") && !line.starts_with("note: saved in")
            || *in_note && line.starts_with("  ");
        Some((*in_note).then_some(line))
    });
    let lines: Vec<&str> = lines.flatten().collect();
    lines.join("\n").replace(home.to_str().unwrap(), "HOME")
}

const NOTHING: &str = "echo 'VERDICT: ship'";

#[test]
fn an_empty_machine_asks_those_that_scrum_brings_along() {
    let machine = Machine::new().with_change();
    let printed = machine.scrum(&["review"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert_eq!(panel(&machine), ["history", "rules"]);
    assert_eq!(notes(&machine, &printed.stderr), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_found_is_asked_and_named_before() {
    let mock = ollama("VERDICT: ship").await;
    let machine = Machine::new().with_change().with_program("claude", NOTHING).with_ollama(&mock);
    let machine = machine.with_program("codex", "exit 1").with_key("CODEX_API_KEY");
    let printed = machine.scrum(&["review"]);
    assert_eq!(
        panel(&machine),
        ["claude", "codex", "history", "ollama-gemma3", "ollama-qwen3-coder-30b", "rules"]
    );
    insta::assert_snapshot!(notes(&machine, &printed.stderr), @r#"
    note: nobody is configured, so whoever is found here is asked; the change is shown to
      claude: the program claude, which passes it on to anthropic; about 1,129 tokens in, price not known
      codex: the program codex, which passes it on to openai; about 775 tokens in, price not known
      in all 2 requests, about 1,904 tokens in and 160 to 1,360 out, at a cost that is not known
    note: `--panel offline` keeps everything on this machine; always: `panel = "offline"` under [review] in HOME/.config/scrum/config.toml
    "#);
    let models: Vec<_> =
        mock.asked().iter().filter_map(|asked| asked.body["model"].as_str().map(str::to_owned)).collect();
    assert_eq!(models.len(), 2, "{models:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_stays_here_needs_no_warning() {
    let mock = ollama("VERDICT: ship").await;
    let machine = Machine::new().with_change().with_ollama(&mock);
    let printed = machine.scrum(&["review"]);
    assert_eq!(panel(&machine), ["history", "ollama-gemma3", "ollama-qwen3-coder-30b", "rules"]);
    assert_eq!(notes(&machine, &printed.stderr), "");
}

#[test]
fn everything_stays_here_where_somebody_says_so() {
    let offline = |machine: &Machine, arguments: &[&str]| {
        let printed = machine.scrum(arguments);
        assert_eq!(printed.status, 0, "{printed:?}");
        assert_eq!(panel(machine), ["history", "rules"]);
        assert_eq!(notes(machine, &printed.stderr), "");
        assert!(!machine.sandbox.repo().join("asked").exists());
    };
    let agent = "echo asked > asked; echo 'VERDICT: ship'";
    let machine = || Machine::new().with_change().with_program("claude", agent).with_key("OPENAI_API_KEY");
    offline(&machine(), &["review", "--panel", "offline"]);
    offline(&machine().with("SCRUM_PANEL", "offline"), &["review"]);
    let own = machine();
    let settings = own.sandbox.home().join(".config/scrum");
    std::fs::create_dir_all(&settings).unwrap();
    std::fs::write(settings.join("config.toml"), "[review]\npanel = \"offline\"\n").unwrap();
    offline(&own, &["review"]);
}

#[test]
fn whoever_is_named_is_announced_without_advice() {
    let machine = Machine::new().with_change().with_program("claude", NOTHING);
    for arguments in
        [&["review", "--panel", "auto"][..], &["review", "--no-cache", "-r", "claude", "-r", "rules"]]
    {
        let printed = machine.scrum(arguments);
        assert_eq!(printed.status, 0, "{printed:?}");
        assert!(panel(&machine).contains(&"claude".to_owned()));
        insta::allow_duplicates! { insta::assert_snapshot!(notes(&machine, &printed.stderr), @"
        note: the change is shown to
          claude: the program claude, which passes it on to anthropic; about 1,129 tokens in, price not known
        "); }
    }
}

#[test]
fn a_dry_run_shows_whom_auto_would_ask_and_asks_nobody() {
    let machine = Machine::new().with_change().with_key("OPENAI_API_KEY");
    let machine = machine.with_program("claude", "echo asked > asked");
    let printed = machine.scrum(&["review", "--dry-run"]);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_preset_of_ollama_asks_where_ollama_host_points() {
    let mock = ollama("VERDICT: ship").await;
    let machine = Machine::new().with_ollama(&mock);
    machine
        .sandbox
        .write("scrum.toml", "[[reviewer]]\nid = \"q\"\npreset = \"ollama\"\nmodel = \"qwen3:8b\"\n");
    machine.sandbox.script("git add -A; git commit -qm settings");
    let machine = machine.with_change();
    let printed = machine.scrum(&["review"]);
    assert!(printed.stdout.contains("q (alibaba) says ship"), "{printed:?}");
}
