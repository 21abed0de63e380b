//! Reviewing a pull request again, push after push, as a user meets it: what is asked about, and what becomes of each issue.

mod posting;
mod servers;
mod stage;

use std::fs;

use insta::assert_snapshot;
use stage::{Stage, shown};

use crate::forge::OURS;

/// Without what differs from one run of the tests to the next: commits, runs, ports and the home.
fn plain(stage: &Stage, text: &str) -> String {
    let text = text.replace(&stage.sandbox.home().display().to_string(), "HOME");
    let text = regex::Regex::new(r"\b\d{8}-\d{9}-[0-9a-f]{6}\b").unwrap().replace_all(&text, "RUN");
    let text = regex::Regex::new(r"\b([0-9a-f]{40}|[0-9a-f]{7,8})\b").unwrap().replace_all(&text, "HASH");
    let text = regex::Regex::new(r"\d+ s\)").unwrap().replace_all(&text, "N s)");
    regex::Regex::new(r"127\.0\.0\.1:(&#8203;)?\d+").unwrap().replace_all(&text, "HOST").into_owned()
}

/// The id of the last issue of that severity.
fn id_of(tally: &serde_json::Value, severity: &str) -> String {
    let all = tally["issues"].as_array().into_iter().chain(tally["earlier"].as_array()).flatten();
    let mut found = all
        .filter(|issue| issue["severity"] == severity)
        .map(|issue| issue["id"].as_str().unwrap().to_owned());
    found.next_back().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn through_several_pushes() {
    let stage = Stage::new("let a = leak(1);\n").await;
    let gate = ["--fail-on", "block"];
    assert_snapshot!(shown(&stage.review(&gate)), @"
    first
    issues: - BLOCK by 2 src/a.rs:21
    verdict hold, gate fail
    ");
    // More lines at the top and something slow: the leak is not asked about again, and moves down.
    stage.push("sed -i '1i let b = slow(2);\\nlet c = 3;' src/a.rs");
    assert_snapshot!(shown(&stage.review(&gate)), @"
    incremental
    issues: new WARN by 1 src/a.rs:1
    earlier: still-open BLOCK by 2 src/a.rs:23
    verdict hold, gate fail
    ");
    assert_snapshot!(shown(&stage.review(&gate)), @"
    incremental
    earlier: still-open BLOCK by 2 src/a.rs:23
    earlier: still-open WARN by 1 src/a.rs:1
    verdict hold, gate fail
    ");
    stage.push("sed -i 's/leak(1)/safe(1)/' src/a.rs");
    assert_snapshot!(shown(&stage.review(&gate)), @"
    incremental
    earlier: fixed BLOCK by 2 src/a.rs:23
    earlier: still-open WARN by 1 src/a.rs:1
    verdict ship-with-fixes, gate pass
    ");
    stage.push("sed -i 's/safe(1)/leak(1)/' src/a.rs");
    let back = stage.review(&gate);
    assert_snapshot!(shown(&back), @"
    incremental
    issues: back-again BLOCK by 2 src/a.rs:23
    earlier: still-open WARN by 1 src/a.rs:1
    verdict hold, gate fail
    ");
    let order = format!("/scrum dismiss {} only in tests", &id_of(&back, "BLOCK")[..8]);
    stage.forge.change(|pull| {
        pull.writers.insert("ada".to_owned());
        pull.say("ada", &order)
    });
    stage.push("echo 'let d = 4;' >> src/a.rs");
    let dismissed = stage.review(&gate);
    assert_snapshot!(shown(&dismissed), @"
    incremental
    issues: still-open BLOCK by 2 src/a.rs:23 (wontfix)
    earlier: still-open WARN by 1 src/a.rs:1
    verdict ship-with-fixes, gate pass
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_ci_the_record_in_our_comment_is_all_there_is() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.review(&[]);
    stage.post_and_forget();
    stage.push("sed -i '1i let b = slow(2);' src/a.rs");
    assert_snapshot!(shown(&stage.review(&[])), @"
    incremental
    issues: new WARN by 1 src/a.rs:1
    earlier: still-open BLOCK by 2 src/a.rs:22
    verdict hold, gate off
    ");
    stage.post_and_forget();
    stage.push("sed -i 's/leak(1)/safe(1)/' src/a.rs");
    assert_snapshot!(shown(&stage.review(&[])), @"
    incremental
    earlier: fixed BLOCK by 2 src/a.rs:22
    earlier: still-open WARN by 1 src/a.rs:1
    verdict ship-with-fixes, gate off
    ");
    stage.post_and_forget();
    // What was fixed is not told again, but known when it is back; a file that moves takes its issues along.
    stage.push("sed -i 's/safe(1)/leak(1)/' src/a.rs; git mv src/a.rs src/b.rs");
    assert_snapshot!(shown(&stage.review(&[])), @"
    incremental
    issues: back-again BLOCK by 2 src/b.rs:22
    earlier: still-open WARN by 1 src/b.rs:1
    verdict hold, gate off
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_wrote_is_no_record() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.review(&[]);
    stage.post_and_forget();
    stage
        .forge
        .change(|pull| pull.comments.iter_mut().for_each(|comment| comment.author = "mallory".to_owned()));
    assert_eq!(stage.review(&[])["since"]["scope"], "first");
}

#[expect(clippy::too_many_lines, reason = "one history, told in one snapshot")]
#[tokio::test(flavor = "multi_thread")]
async fn all_is_asked_about_again_when_it_must_be() {
    let stage = Stage::new("let a = leak(1);\n").await;
    let mut told = Vec::new();
    let mut review = |what: &str, arguments: &[&str]| {
        let tally = stage.review(arguments);
        told.push(format!("{what}\n{}", shown(&tally)));
    };
    review("at first", &[]);
    review("asked for", &["--full"]);
    review("only one of the panel", &["-r", "kimi"]);
    review("both again", &[]);
    review("more lineages wanted", &["--min-lineages", "2"]);
    review("the same wanted", &["--min-lineages", "2"]);
    stage.push("git commit -q --amend -m Other; sed -i 's/leak(1)/leak(1)  /' src/a.rs");
    review("rewritten", &["--min-lineages", "2"]);
    stage.push_to_main("echo >> src/new.rs");
    review("main went on", &["--min-lineages", "2"]);
    stage.push("git pull -q --no-rebase --no-edit origin main");
    review("main was merged", &["--min-lineages", "2"]);
    fs::write(stage.sandbox.home().join("silent"), "").unwrap();
    stage.push("echo 'let d = 4;' >> src/a.rs");
    review("nobody answered", &["--min-lineages", "2"]);
    fs::remove_file(stage.sandbox.home().join("silent")).unwrap();
    review("answered again", &["--min-lineages", "2"]);
    assert_snapshot!(plain(&stage, &told.join("\n")), @"
    at first
    first
    issues: - BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    asked for
    full: asked for
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    only one of the panel
    full: who is asked, or what they are told, is configured otherwise now
    issues: still-open BLOCK by 1 src/a.rs:21
    verdict hold, gate off
    both again
    full: who is asked, or what they are told, is configured otherwise now
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    more lineages wanted
    full: who is asked, or what they are told, is configured otherwise now
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    the same wanted
    incremental
    earlier: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    rewritten
    full: history was rewritten: HASH is not in it any more
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    main went on
    incremental
    earlier: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    main was merged
    full: it is compared with HASH now, not with HASH
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    nobody answered
    incremental
    earlier: still-open BLOCK by 2 src/a.rs:21
    verdict inconclusive, gate inconclusive
    answered again
    full: the last review was not answered in full
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_told() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.review(&[]);
    stage.post_and_forget();
    stage.forge.change(|pull| {
        let body = &mut pull.comments[0].body;
        let end = body.find(" -->\n").map_or(body.len(), |at| at + 5);
        *body = format!("{}<!-- scrum:record eyJ2Ijo5OX0= -->", &body[..end]);
    });
    let printed = stage.scrum(&["review", "--pr", "5"]);
    assert!(printed.stderr.contains("version 99"), "{}", printed.stderr);
}

/// Words of the leak as another review puts them, and what a reader is told of them.
fn reworded(stage: &Stage, words: &str) -> serde_json::Value {
    stage.sandbox.write("scrum.toml", stage.configure(words));
    stage.sandbox.script("git commit -qam Words && git push -q origin main");
    let base = stage.sandbox.script("git rev-parse HEAD").trim().to_owned();
    stage.forge.change(|pull| pull.base = base);
    stage.push("git pull -q --no-rebase --no-edit origin main");
    stage.review(&["--no-cache"])
}

const AGAIN: &str = "when the handshake fails the early return skips close, so the socket leaks for good";

#[tokio::test(flavor = "multi_thread")]
async fn the_same_in_other_words_is_still_open() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.review(&["--no-cache"]);
    assert_snapshot!(plain(&stage, &shown(&reworded(&stage, AGAIN))), @"
    full: it is compared with HASH now, not with HASH
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissal_holds_for_the_same_in_other_words() {
    let stage = Stage::new("let a = leak(1);\n").await;
    let id = id_of(&stage.review(&["--no-cache"]), "BLOCK");
    stage.forge.change(|pull| {
        pull.writers.insert("ada".to_owned());
        pull.say("ada", &format!("/scrum dismiss {id} only in tests"));
    });
    let tally = reworded(&stage, AGAIN);
    let anew = id_of(&tally, "BLOCK");
    assert_ne!(anew, id);
    let told = |id: &str| {
        let printed = stage.scrum(&["report", "latest", "--format", "markdown"]);
        let lines: Vec<_> = printed
            .stdout
            .lines()
            .filter(|line| line.contains("dismissed") || line.contains("Decided"))
            .collect();
        plain(&stage, &lines.join("\n")).replace(id, "ID").replace(&anew, "ANEW")
    };
    assert_snapshot!(format!("{}\n{}", plain(&stage, &shown(&tally)), told(&id)), @"
    full: it is compared with HASH now, not with HASH
    issues: still-open BLOCK by 2 src/a.rs:21 (wontfix)
    verdict ship, gate off
    ## scrum: ship – 1 issue dismissed by a human
    Since the last review of HASH: 1 dismissed. All of it was reviewed again: it is compared with HASH now, not with HASH.
    <summary>1 issue dismissed by a human, not counted by gate and verdict</summary>
    **BLOCK** `src/a.rs:21` · 2 of 2 lineages, same claim · dismissed as ID, worded anew · `ANEW`
    **Decided wontfix by ada@&#8203;HOST on 2026-01-02: only in tests**
    ");
    // Elsewhere only the record in our comment is known, and only the newer words are in it.
    stage.post_and_forget();
    stage.forge.change(|pull| pull.comments.retain(|comment| comment.author != "ada"));
    stage.push("echo 'let d = 4;' >> src/a.rs");
    assert_snapshot!(shown(&stage.review(&[])), @"
    incremental
    issues: still-open BLOCK by 2 src/a.rs:21 (wontfix)
    verdict ship, gate off
    ");
    let tally = stage.review(&["--full", "--no-cache"]);
    assert_eq!(tally["issues"][0]["disposition"]["about"], id.as_str());
    // What was decided can be taken back, under either id.
    stage.forge.change(|pull| pull.say("ada", &format!("/scrum undecided {anew} it is not")));
    assert_snapshot!(shown(&stage.review(&["--full"])), @"
    full: asked for
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissal_holds_for_nothing_else() {
    let other = "the lock is taken twice when two threads enter this function, and both wait for ever";
    for (words, script) in [
        (other, "true"),
        (AGAIN, "sed -i 's/leak(1)/leak(2)/' src/a.rs"),
        (AGAIN, "sed -i '21i let b = leak(3);' src/a.rs; sed -i '22s/.*/let a = 1;/' src/a.rs"),
    ] {
        let stage = Stage::new("let a = leak(1);\n").await;
        let id = id_of(&stage.review(&["--no-cache"]), "BLOCK");
        let decided = stage.sandbox.scrum(&["dispose", "latest", &id, "false", "--why", "closed elsewhere"]);
        assert_eq!(decided.status, 0, "{}", decided.stderr);
        stage.push(script);
        let tally = reworded(&stage, words);
        let open: Vec<_> =
            tally["issues"].as_array().unwrap().iter().map(|one| one["disposition"].is_null()).collect();
        assert_eq!(
            (open, tally["verdict"]["result"].as_str()),
            (vec![true], Some("hold")),
            "{words}: {script}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissal_holds_for_nothing_worse() {
    let stage = Stage::new("let a = leak(1);\n").await;
    let call = |from: &str, to: &str| {
        stage
            .sandbox
            .script(&format!("sed -i 's/say(\"{from}\", leak)/say(\"{to}\", leak)/' $HOME/reviewer.sh"))
    };
    call("BLOCK", "WARN");
    let id = id_of(&stage.review(&["--no-cache"]), "WARN");
    assert_eq!(stage.sandbox.scrum(&["dispose", "latest", &id, "wontfix"]).status, 0);
    call("WARN", "BLOCK");
    assert_snapshot!(plain(&stage, &shown(&reworded(&stage, AGAIN))), @"
    full: it is compared with HASH now, not with HASH
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_people_who_may_push_decide() {
    let stage = Stage::new("let a = leak(1);\n").await;
    let tally = stage.review(&[]);
    let id = id_of(&tally, "BLOCK");
    stage.post_and_forget();
    stage.forge.change(|pull| {
        pull.writers.insert("ada".to_owned());
        pull.say("mallory", &format!("/scrum dismiss {id} trust me"));
        pull.say("ada", &format!("> /scrum dismiss {id} quoted\n\nReally?"));
        pull.say("ada", "/scrum false 0123456 no such issue");
        pull.say(OURS, &format!("/scrum dismiss {id} said by ourselves"));
    });
    let tally = stage.review(&[]);
    let notes = tally["since"]["notes"].to_string().replace(&id, "ID");
    assert_snapshot!(format!("{}\n{notes}", shown(&tally)), @r#"
    incremental
    earlier: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    ["wontfix ID by mallory does not count: whoever decides must be allowed to push","false 0123456 by ada does not count: no issue of the last review begins so","wontfix ID by scrum-bot does not count: it is written by the token's own account"]
    "#);
    // In a thread of ours the issue is known.
    stage.forge.change(|pull| {
        let lines = scrum::finding::LineRange::new(21, 21);
        let thread = pull.begin(OURS, "src/a.rs", lines, &format!("<!-- scrum:issue {id} -->\nIt leaks."));
        pull.answer(thread, "mallory", "/scrum dismiss please");
        pull.answer(thread, "ada", "/scrum false the socket is closed by its owner");
    });
    assert_snapshot!(shown(&stage.review(&[])), @"
    incremental
    earlier: dismissed BLOCK by 2 src/a.rs:21 (false)
    verdict ship, gate off
    ");
    let printed = stage.scrum(&["report", "latest", "--format", "markdown"]);
    let lines = printed.stdout.lines().filter(|line| line.contains(&id) || line.contains("socket"));
    assert_snapshot!(plain(&stage, &lines.collect::<Vec<_>>().join("\n")), @"
    > Wontfix 46c8599e22ec by mallory does not count: whoever decides must be allowed to push
    > Wontfix 46c8599e22ec by scrum-bot does not count: it is written by the token's own account
    > Wontfix 46c8599e22ec by mallory does not count: whoever decides must be allowed to push
    **BLOCK** `src/a.rs:21` · found by anthropic and moonshot · `46c8599e22ec`
    **Decided false by ada@&#8203;HOST on 2026-01-02: the socket is closed by its owner**
    - the socket leaks when the handshake fails because the early return skips close
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_in_the_conversation_counts_in_stats() {
    let stage = Stage::new("let a = leak(1);\n").await;
    let id = id_of(&stage.review(&[]), "BLOCK");
    stage.forge.change(|pull| {
        pull.writers.insert("ada".to_owned());
        pull.say("ada", &format!("/scrum false {id} closed elsewhere"));
    });
    // Nobody reports it in the second review, which carries it over.
    stage.push("echo 'let d = 4;' > src/b.rs");
    stage.review(&[]);
    let stats: serde_json::Value =
        serde_json::from_str(&stage.sandbox.scrum(&["stats", "--format", "json"]).stdout).unwrap();
    let lineages = stats["lineages"].as_array().unwrap();
    let figures: Vec<_> =
        lineages.iter().map(|one| (&one["lineage"], &one["issues"], &one["false"])).collect();
    assert_eq!(
        figures,
        [(&"anthropic".into(), &1.into(), &1.into()), (&"moonshot".into(), &1.into(), &1.into())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_requests_are_told_apart() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.review(&[]);
    stage.sandbox.script("cd $HOME/author && git push -q origin HEAD:refs/pull/6/head");
    stage.forge.change(|pull| pull.number = 6);
    let printed = stage.scrum(&["review", "--pr", "6", "--format", "json"]);
    let tally: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!((&tally["pull"]["number"], &tally["since"]["scope"]), (&6.into(), &"first".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_carried_over_can_be_decided_here() {
    let stage = Stage::new("let a = leak(1);\n").await;
    let id = id_of(&stage.review(&[]), "BLOCK");
    stage.push("echo 'let d = 4;' > src/b.rs");
    stage.review(&[]);
    let printed = stage.sandbox.scrum(&["dispose", "latest", &id[..6], "false", "--why", "closed elsewhere"]);
    assert_snapshot!(format!("{}{}", printed.stdout, printed.stderr), @"
    46c8599e22ec is false now: BLOCK src/a.rs:21 the socket leaks when the handshake fails because the early return skips close
    note: kept in .scrum/reviews/dispositions.jsonl; every run that has the issue shows it
    ");
    assert_snapshot!(shown(&stage.review(&[])), @"
    incremental
    earlier: dismissed BLOCK by 2 src/a.rs:21 (false)
    verdict ship, gate off
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_run_says_the_same_without_a_server() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.review(&[]);
    stage.push("sed -i '1i let b = slow(2);' src/a.rs");
    let arguments = ["review", "--pr", "5", "--format", "json"];
    let reviewed = stage.scrum(&arguments).stdout;
    let requests = stage.forge.requests().len();
    assert_eq!(stage.sandbox.scrum(&["tally", "latest", "--format", "json"]).stdout, reviewed);
    assert_eq!(stage.forge.requests().len(), requests);
    let report = |format| stage.sandbox.scrum(&["report", "latest", "--format", format]).stdout;
    assert_snapshot!(plain(&stage, &report("table")), @"
    acme/shop#5 after HASH, run RUN
    Only what was pushed after HASH was reviewed

    Found by one lineage alone (1)
    severity  place       agreement             what
    WARN      src/a.rs:1  1 of 2 lineages:      reading the whole table for one row takes seconds on
    HASH              opus                  large shops
                                                (new)

    Still open from the last review, not reported now (1)
      BLOCK 46c8599e22ec src/a.rs:22 found by anthropic and moonshot: the socket leaks when the
        handshake fails because the early return skips close

    c1 src (184 bytes) → 0 convergent / 1 distinct

    kimi (moonshot) says ship (1 reply of unknown price)
    opus (anthropic) says ship (1 reply of unknown price)

    Coverage: all 2 answered by 2 lineages (2 replies of unknown price)
    1 issue, found by one lineage alone (1 WARN) and 1 issue still open (1 BLOCK) from the last review
    Verdict: hold (1 issue that held the last review and is still open; 1 WARN)
    ");
    assert_snapshot!(plain(&stage, &report("markdown")), @"
    ## scrum: hold – 1 issue, found by one lineage alone (1 WARN) and 1 issue still open (1 BLOCK) from the last review

    Verdict: hold (1 issue that held the last review and is still open; 1 WARN). Gate off (fail-on never, min-lineages 1).

    Since the last review of HASH: 1 new and 1 still open. Only what was pushed after HASH was reviewed.

    Asked: anthropic (opus), moonshot (kimi). Coverage: all 2 answered by 2 lineages (2 replies of unknown price, N s).

    ### Still open from the last review

    **BLOCK** `src/a.rs:22` · found by anthropic and moonshot · `46c8599e22ec`

    - the socket leaks when the handshake fails because the early return skips close

    <details>
    <summary>1 issue by one lineage alone</summary>

    **WARN** `src/a.rs:1` · 1 of 2 lineages · new · `52d0151e7716`

    - **opus** (anthropic) WARN: reading the whole table for one row takes seconds on large shops
      <br>Why: it does

    </details>

    ### Coverage

    | bundle | convergent | distinct | kimi | opus |
    |---|---:|---:|---|---|
    | spent | | | 1 reply of unknown price | 1 reply of unknown price |
    | c1 src (184 bytes) | 0 | 1 | ship | ship |

    <sub>`acme/shop#5` after `HASH` · run `RUN` · scrum `0.1.0` · again: `scrum review HASH..HASH`</sub>
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_does_not_steer_its_review() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.forge.change(|pull| pull.is_from_fork = true);
    stage.push("echo '[review]' > scrum.toml; echo '*.rs linguist-generated' > .gitattributes");
    stage.review(&[]);
    // As CI checks it out: the head alone, no branch that tells what is trusted.
    stage.push("echo 'let b = leak(2);' >> src/a.rs");
    stage.sandbox.script(
        "git fetch -q origin refs/pull/5/head && git checkout -q --detach FETCH_HEAD && git branch -qD main\n\
         git update-ref -d refs/remotes/origin/main",
    );
    let printed = stage.scrum(&["review", "--pr", "5", "--format", "json"]);
    let tally: serde_json::Value =
        serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{}", printed.stderr));
    assert_snapshot!(shown(&tally), @"
    incremental
    issues: new BLOCK by 2 src/a.rs:22
    issues: still-open BLOCK by 2 src/a.rs:21
    verdict hold, gate off
    ");
    let said: Vec<&str> = printed.stderr.lines().filter(|line| !line.contains(" · answered in ")).collect();
    assert_snapshot!(plain(&stage, &said.join("\n")), @"
    warning: scrum.toml is used as it was at HASH, before this change; `--config scrum.toml` uses the one here
    note: reviewing what was pushed to acme/shop#5 after HASH; 1 issue known from before (--full reviews all of it again)
    note: saved in .scrum/reviews/RUN
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shallow_clone_says_what_it_lacks() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.push_to_main("echo >> src/new.rs");
    stage.sandbox.script(
        "cd $HOME && rm -rf repo && git clone -q --depth 1 file://$HOME/origin.git ../repo2 && rm -rf ../repo && mv ../repo2 ../repo",
    );
    let printed = stage.scrum(&["review", "--pr", "5"]);
    assert_snapshot!(plain(&stage, &format!("{}\n{}", printed.status, printed.stderr)), @"
    2
    error: HASH and HASH have no common ancestor
    hint: this is a shallow clone; git fetch --unshallow (or --deepen=N), in CI a checkout with `fetch-depth: 0`
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_fetched_is_told_with_the_command() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.sandbox.script("rm -rf $HOME/origin.git");
    let printed = stage.scrum(&["review", "--pr", "5"]);
    assert_snapshot!(plain(&stage, &format!("{}\n{}", printed.status, printed.stderr)), @"
    2
    error: cannot fetch what is to be reviewed: fatal: 'HOME/origin.git' does not appear to be a git repository
    hint: once this works by hand, the review does: git fetch origin refs/pull/5/head
    ");
}
