//! Rules that choose a bundle's panel, as a user meets them: dry run, run, tally again, resume, gate.

use serde_json::Value;

use crate::sandbox::{Printed, Sandbox};

const RULES: &str = r#"
[[component]]
name = "auth"
paths = ["src/auth/**"]
[[component]]
name = "app"
paths = ["src/**"]
[[component]]
name = "docs"
paths = ["docs/**", "*.md"]

[panel.light]
reviewers = ["opus"]
[panel.strict]
reviewers = ["opus", "kimi", "qwen"]
[panel.usual]
reviewers = ["opus", "kimi"]

[[route]]
paths = ["src/auth/**", "migrations/**"]
panel = "strict"
[[route]]
paths = ["docs/**", "*.md"]
panel = "light"
"#;

/// A repository whose last commit touches `files`; three saved reviewers find nothing in anything.
fn scene(files: &[&str], rules: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("git commit -q --allow-empty -m start");
    for file in files {
        sandbox.write(file, "one line\n");
    }
    sandbox.script("git add -A; git commit -qm change");
    let reviewer = |(id, model): &(&str, &str)| {
        sandbox.write(&format!("saved/{id}.md"), "VERDICT: ship\n");
        format!("[[reviewer]]\nid = \"{id}\"\nprovider = \"replay\"\nmodel = \"{model}\"\ndir = \"saved\"\n")
    };
    let panel: String =
        [("opus", "claude-opus-4-7"), ("kimi", "kimi-k2"), ("qwen", "qwen3")].iter().map(reviewer).collect();
    sandbox.write("scrum.toml", format!("[review]\npanel = \"usual\"\n{rules}{panel}"));
    sandbox
}

fn review(sandbox: &Sandbox, arguments: &[&str]) -> Printed {
    sandbox.scrum(&[&["review", "HEAD~1..HEAD"], arguments].concat())
}

fn json(printed: &Printed) -> Value {
    serde_json::from_str(&printed.stdout).unwrap_or_else(|error| panic!("{error}: {printed:?}"))
}

/// `c2_auth kimi answered`, a line a task.
fn ledger(tally: &Value) -> String {
    let line = |task: &Value| {
        let word = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}: {}", word("bundle"), word("reviewer"), word("state"), word("reason"))
    };
    tally["coverage"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
}

const ALL: [&str; 3] = ["src/auth/login.rs", "src/app.rs", "docs/a.md"];

#[test]
fn each_bundle_is_put_to_its_own_panel() {
    let sandbox = scene(&ALL, RULES);
    let dry = review(&sandbox, &["--dry-run"]);
    insta::assert_snapshot!(dry.stdout, @"
    bundle   size       tokens  files  lines  panel
    c1 app   142 bytes  ~78     1      +1 −0  usual
    c2 auth  163 bytes  ~83     1      +1 −0  strict
    c3 docs  139 bytes  ~78     1      +1 −0  light

    HEAD~1..HEAD: 3 bundles, 444 bytes, about 239 tokens
    would ask opus: claude-opus-4-7, lineage anthropic, from saved replies
    would ask kimi: kimi-k2, lineage moonshot, from saved replies
    would ask qwen: qwen3, lineage alibaba, from saved replies
    0 requests; nothing was sent
    ");
    let printed = review(&sandbox, &["--format", "json", "--fail-on", "warn", "--min-lineages", "2"]);
    let tally = json(&printed);
    insta::assert_snapshot!(ledger(&tally), @"
    c1_app kimi answered: 
    c1_app opus answered: 
    c1_app qwen not-routed: by route: its panel is usual
    c2_auth kimi answered: 
    c2_auth opus answered: 
    c2_auth qwen answered: 
    c3_docs kimi not-routed: by route: its panel is light
    c3_docs opus answered: 
    c3_docs qwen not-routed: by route: its panel is light
    ");
    let panels: Vec<_> =
        tally["bundles"].as_array().unwrap().iter().map(|one| one["panel"].clone()).collect();
    assert_eq!(panels, ["usual", "strict", "light"]);
    assert_eq!((printed.status, tally["gate"]["result"].as_str()), (0, Some("pass")), "{printed:?}");
    assert_eq!(tally["verdict"]["result"], "ship", "{}", tally["verdict"]);
    let again = sandbox.scrum(&["tally", "latest", "--format", "json"]);
    assert_eq!(again.stdout, printed.stdout, "{}", again.stderr);
}

#[test]
fn the_report_says_who_was_not_asked() {
    let sandbox = scene(&ALL, RULES);
    review(&sandbox, &["--fail-on", "warn", "--min-lineages", "2"]);
    insta::assert_snapshot!(below_the_head(&sandbox.scrum(&["report", "latest"]).stdout), @"

    c1 app (142 bytes)  → 0 convergent / 0 distinct
    c2 auth (163 bytes) → 0 convergent / 0 distinct
    c3 docs (139 bytes) → 0 convergent / 0 distinct

    Who answered, a column a bundle: █ answered, · by route not asked
              123
    kimi      ██·
    opus      ███
    qwen      ·█·

    kimi (moonshot) says ship
    opus (anthropic) says ship
    qwen (alibaba) says ship

    By route only to opus (light): c3 docs
    By route only to kimi and opus (usual): c1 app
    Coverage: all 6 answered by 3 lineages
    Nothing found by 3 lineages in 3 bundles
    Verdict: ship (nothing of WARN or worse was found)
    Gate passed (fail-on warn, min-lineages 2): nothing that fails, and every bundle was answered by 2
    lineages or more, or by all of the panel its route chose
    ");
    let markdown = sandbox.scrum(&["report", "latest", "--format", "markdown"]).stdout;
    let markdown = regex::Regex::new(r"\d+ m?s\)").unwrap().replace(&markdown, "N s)");
    insta::assert_snapshot!(markdown.split("<sub>").next().unwrap(), @"
    ## scrum: ship – nothing found by 3 lineages in 3 bundles

    Verdict: ship (nothing of WARN or worse was found). Gate passed (fail-on warn, min-lineages 2): nothing that fails, and every bundle was answered by 2 lineages or more, or by all of the panel its route chose.

    Asked: alibaba (qwen), anthropic (opus), moonshot (kimi). Coverage: all 6 answered by 3 lineages (N s).

    By route only to opus (light): c3 docs.

    By route only to kimi and opus (usual): c1 app.

    ### Coverage

    | bundle | convergent | distinct | kimi | opus | qwen |
    |---|---:|---:|---|---|---|
    | c1 app (142 bytes) | 0 | 0 | ship | ship | not asked |
    | c2 auth (163 bytes) | 0 | 0 | ship | ship | ship |
    | c3 docs (139 bytes) | 0 | 0 | not asked | ship | not asked |
    ");
}

/// Without the first line, which names the run.
fn below_the_head(text: &str) -> &str {
    text.split_once('\n').unwrap().1
}

#[test]
fn a_change_of_documents_is_put_to_the_light_panel_alone() {
    let sandbox = scene(&["docs/a.md"], RULES);
    let printed = review(&sandbox, &["--format", "json", "--fail-on", "warn", "--min-lineages", "2"]);
    let tally = json(&printed);
    assert_eq!(ledger(&tally), "c1_docs opus answered: ");
    assert_eq!((printed.status, tally["gate"]["result"].as_str()), (0, Some("pass")), "{printed:?}");
}

#[test]
fn who_is_named_on_the_command_line_is_asked_about_everything() {
    let sandbox = scene(&ALL, RULES);
    for (arguments, tasks) in
        [(&["--panel", "strict"][..], 9), (&["-r", "kimi"], 3), (&["--panel", "auto"], 15)]
    {
        let printed = review(&sandbox, &[&["--format", "json"], arguments].concat());
        let tally = json(&printed);
        let coverage = tally["coverage"].as_array().unwrap();
        assert_eq!(coverage.len(), tasks, "{arguments:?}");
        assert!(coverage.iter().all(|task| task["state"] == "answered"), "{}", ledger(&tally));
        assert!(tally["bundles"][0].get("panel").is_none(), "{}", tally["bundles"][0]);
    }
}

#[test]
fn a_sensitive_file_is_not_outvoted_by_its_bundle() {
    let one = "[[component]]\nname = \"all\"\npaths = [\"**\"]\n";
    let rules = &RULES[RULES.find("[panel.light]").unwrap()..];
    let sandbox = scene(&ALL, &format!("{one}{rules}"));
    let tally = json(&review(&sandbox, &["--format", "json"]));
    assert_eq!(tally["bundles"][0]["panel"], "strict + light + usual");
    assert_eq!(ledger(&tally).lines().count(), 3, "{}", ledger(&tally));
}

#[test]
fn small_bundles_can_have_a_panel_of_their_own() {
    let size = "[panel.light]\nreviewers = [\"opus\"]\n[panel.usual]\nreviewers = [\"kimi\"]\n[[route]]\nmax_bytes = 2000\npanel = \"light\"\n";
    let sandbox = scene(&["src/app.rs"], size);
    assert_eq!(ledger(&json(&review(&sandbox, &["--format", "json"]))), "c1_src opus answered: ");
    sandbox.write("src/app.rs", "a longer line\n".repeat(200));
    sandbox.script("git commit -qam more");
    assert_eq!(ledger(&json(&review(&sandbox, &["--format", "json"]))), "c1_src kimi answered: ");
}

#[test]
fn a_run_is_resumed_along_the_same_routes() {
    let sandbox = scene(&ALL, RULES);
    sandbox.script("mv saved/qwen.md saved/later");
    let first = review(&sandbox, &["--format", "json", "--fail-on", "warn", "--min-lineages", "3"]);
    assert_eq!(first.status, 3, "{first:?}");
    sandbox.script("mv saved/later saved/qwen.md");
    let resumed = sandbox.scrum(&["review", "--resume", "latest", "--format", "json"]);
    let tally = json(&resumed);
    assert!(ledger(&tally).contains("c2_auth qwen answered"), "{}", ledger(&tally));
    assert!(
        ledger(&tally).contains("c3_docs qwen not-routed: by route: its panel is light"),
        "{}",
        ledger(&tally)
    );
}

#[test]
fn a_reviewer_without_its_key_is_missing_only_where_it_was_to_be_asked() {
    let keyed = "[[reviewer]]\nid = \"keyed\"\npreset = \"openai\"\nmodel = \"gpt-5\"\n";
    let rules = RULES.replace("[\"opus\", \"kimi\", \"qwen\"]", "[\"opus\", \"kimi\", \"keyed\"]");
    let sandbox = scene(&ALL, &format!("{rules}{keyed}"));
    let printed = review(&sandbox, &["--format", "json"]);
    let ledger = ledger(&json(&printed));
    assert!(ledger.contains("c2_auth keyed skipped: OPENAI_API_KEY is not set"), "{ledger}");
    assert!(ledger.contains("c3_docs keyed not-routed: by route: its panel is light"), "{ledger}");
}

#[test]
fn rules_that_choose_nothing_are_errors() {
    let check = |rule: &str, expect: &str| {
        let sandbox = scene(&["src/app.rs"], &format!("[panel.usual]\nreviewers = [\"opus\"]\n{rule}"));
        let printed = review(&sandbox, &[]);
        let root = format!("{}/", sandbox.repo().display());
        assert_eq!((printed.status, printed.stderr.replace(&root, "").trim_end()), (2, expect));
    };
    check(
        "[[route]]\npaths = [\"a\"]\npanel = \"usul\"\n",
        "error: scrum.toml:5: route 1: no panel named \"usul\"\nhint: did you mean `usual`?",
    );
    check(
        "[[route]]\npanel = \"usual\"\n",
        "error: scrum.toml:5: route 1: needs `paths`, `min_bytes` or `max_bytes`",
    );
    check(
        "[[route]]\nmin_bytes = 9\nmax_bytes = 8\npanel = \"auto\"\n",
        "error: scrum.toml:5: route 1: min_bytes is 9, more than max_bytes, 8",
    );
    check(
        "[[route]]\npaths = [\"[\"]\npanel = \"auto\"\n",
        "error: scrum.toml:5: route 1: bad glob \"[\": unclosed character class; missing ']'",
    );
}
