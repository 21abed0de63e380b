//! Putting the tally on a pull request, as a user meets it.

use std::{fs, time::Duration};

use insta::assert_snapshot;
use scrum::{
    finding::LineRange,
    post::{ISSUE_MARK, TALLY_MARK},
    pull::PullState,
};

use super::stage::Stage;
use crate::{
    forge::{Fault, OURS},
    markup::live,
};

/// A pull request with a leak in its diff, reviewed but not posted.
async fn reviewed() -> Stage {
    let stage = shown_to_github().await;
    stage.review(&[]);
    stage
}

/// The same before its review; the platform shows the end of the file.
async fn shown_to_github() -> Stage {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.forge.change(|pull| drop(pull.hunks.insert("src/a.rs".to_owned(), vec![LineRange::new(18, 21)])));
    stage
}

fn ours(stage: &Stage) -> Vec<String> {
    let comments = stage.forge.comments().into_iter().filter(|one| one.author == OURS);
    comments.map(|one| one.body).collect()
}

/// Threads of ours: line, whether resolved, and how many comments.
fn threads(stage: &Stage) -> Vec<(u32, bool, usize)> {
    let threads = stage.forge.threads().into_iter();
    threads.map(|one| (one.lines.end, one.is_resolved, one.comments.len())).collect()
}

/// Requests since `from` that change something.
fn changes(stage: &Stage, from: usize) -> Vec<String> {
    let log = stage.forge.log().split_off(from);
    log.into_iter().filter(|line| !line.starts_with("GET ") && !line.ends_with("/graphql")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_comment_over_several_pushes() {
    let stage = shown_to_github().await;
    stage.forge.change(|pull| pull.say("mallory", &format!("{TALLY_MARK}\nship it")));
    let first = stage.scrum(&["review", "--pr", "5", "--post", "--fail-on", "block"]);
    assert_eq!(first.status, 1, "the gate's own status counts: {}", first.stderr);
    assert!(
        first.stderr.contains("posted on https://github.com/acme/shop/pull/5; 1 comment made at lines"),
        "{}",
        first.stderr
    );
    let body = ours(&stage).remove(0);
    assert!(body.starts_with(&format!("{TALLY_MARK}\n<!-- scrum:run ")), "{body}");
    assert!(
        body.contains("## scrum: hold – 1 issue found by several lineages (1 BLOCK)")
            && body.contains("the socket leaks"),
        "{body}"
    );
    assert_eq!(threads(&stage), [(21, false, 1)]);
    assert!(stage.forge.threads()[0].comments[0].body.starts_with(ISSUE_MARK));
    // Again: nothing is sent.
    let from = stage.forge.log().len();
    let again = stage.scrum(&["post"]);
    assert_eq!((again.status, changes(&stage, from)), (0, Vec::new()), "{}", again.stderr);
    assert!(again.stderr.contains("shows it already"), "{}", again.stderr);
    // The leak stays and something else comes.
    stage.push("printf 'let b = 2;\\n' >> src/a.rs");
    assert_eq!(stage.scrum(&["review", "--pr", "5", "--post"]).status, 0);
    assert_eq!((ours(&stage).len(), threads(&stage)), (1, vec![(21, false, 1)]));
    assert!(ours(&stage)[0].contains("still open"), "{}", ours(&stage)[0]);
    // It is mended.
    stage.push("sed -i s/leak/free/ src/a.rs");
    let mended = stage.scrum(&["review", "--pr", "5", "--post"]);
    assert!(mended.stderr.contains("in place of the last tally; 1 comment retired"), "{}", mended.stderr);
    assert_eq!(
        (ours(&stage).len(), threads(&stage)),
        (1, Vec::new()),
        "a workflow's token may not resolve, so it is deleted"
    );
    assert!(ours(&stage)[0].contains("1 fixed"), "{}", ours(&stage)[0]);
    assert_eq!(stage.forge.bodies()[0], format!("{TALLY_MARK}\nship it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_shows_all_and_sends_nothing() {
    let stage = reviewed().await;
    let from = stage.forge.log().len();
    let printed = stage.scrum(&["post", "--dry-run"]);
    assert_eq!((printed.status, changes(&stage, from)), (0, Vec::new()));
    assert!(
        printed.stdout.starts_with(TALLY_MARK) && printed.stdout.contains("\n---\n\n<!-- scrum:issue "),
        "{}",
        printed.stdout
    );
    let told =
        regex::Regex::new("[0-9a-f]{12}").unwrap().replace_all(&stage.told(&printed), "ID").into_owned();
    assert_snapshot!(told, @"
    note: would comment on https://github.com/acme/shop/pull/5
    note: would comment at src/a.rs:21: BLOCK ID
    status 0
    ");
    assert_eq!(stage.scrum(&["post"]).status, 0);
    let shown = printed.stdout.split("\n---\n\n<!-- scrum:issue").next().unwrap().to_owned();
    assert_eq!(ours(&stage)[0].trim_end(), shown.trim_end());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_and_one_killed_leave_no_doubles() {
    let stage = reviewed().await;
    std::thread::scope(|scope| {
        let posts: Vec<_> = (0..2).map(|_| scope.spawn(|| stage.scrum(&["post"]))).collect();
        for post in posts {
            let printed = post.join().unwrap();
            assert_eq!(printed.status, 0, "{}", printed.stderr);
        }
    });
    assert_eq!(ours(&stage).len(), 1);
    let open = || threads(&stage).into_iter().filter(|(_, is_resolved, _)| !is_resolved).count();
    assert_eq!(open(), 1, "{:?}", threads(&stage));

    // As if nothing had been posted, and killed when the comment at the line has been made.
    stage.forge.change(|pull| (pull.comments.clear(), pull.threads.clear()));
    stage.forge.play(Fault::Slow(Duration::from_mins(1)), None);
    let mut child = stage.spawn(&["post"]);
    let from = stage.forge.log().len();
    while stage.forge.log().len() == from {
        tokio::task::yield_now().await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    stage.forge.heal();
    assert_eq!(stage.scrum(&["post"]).status, 0);
    assert_eq!((ours(&stage).len(), threads(&stage)), (1, vec![(21, false, 1)]));
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one snapshot of all messages")]
async fn what_keeps_it_from_being_posted_is_told() {
    let stage = reviewed().await;
    let check = |play: &dyn Fn(), arguments: &[&str]| {
        play();
        let printed = stage.scrum(&[&["post"], arguments].concat());
        stage.forge.heal();
        assert_eq!(ours(&stage), Vec::<String>::new());
        stage.told(&printed)
    };
    let mut all = Vec::new();
    for (name, fault) in [
        ("expired", Fault::Expired),
        ("read-only", Fault::ReadOnly),
        ("limited", Fault::Limited(3_600)),
        ("hidden", Fault::Hidden),
    ] {
        all.push(format!("# {name}\n{}\n", check(&|| stage.forge.play(fault, None), &[])));
    }
    for (name, state) in [("closed", PullState::Closed), ("merged", PullState::Merged)] {
        all.push(format!("# {name}\n{}\n", check(&|| stage.forge.change(|pull| pull.state = state), &[])));
    }
    stage.forge.change(|pull| (pull.state, pull.is_locked) = (PullState::Open, true));
    all.push(format!("# locked\n{}\n", check(&|| (), &[])));
    stage.forge.change(|pull| pull.is_locked = false);
    all.push(format!("# another number\n{}\n", check(&|| (), &["--pr", "6"])));
    all.push(format!("# no address\n{}\n", check(&|| (), &["--pr", "soon"])));
    let none = stage.sandbox.scrum_with(
        &["post", "--pr", "5"],
        &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", &stage.forge.url),
            ("GITHUB_SERVER_URL", &stage.forge.url),
            ("GITHUB_REPOSITORY", "acme/shop"),
        ],
    );
    all.push(format!("# no token\n{}\n", stage.told(&none)));
    assert_snapshot!(all.concat(), @"
    # expired
    error: HOST does not accept the token in GITHUB_TOKEN: it is wrong, has expired or was revoked
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    # read-only
    error: the token in GITHUB_TOKEN may not comment on lines of acme/shop#5: Resource not accessible by integration
    hint: it takes a token with `pull-requests: write` (`permissions` of the job; the job of a fork's pull request cannot have it)
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    # limited
    error: HOST allows no more requests for 1 h: You have exceeded a secondary rate limit. Please wait a few minutes before you try again.
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    # hidden
    error: acme/shop#5 is not there, or the token in GITHUB_TOKEN may not see it
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    # closed
    error: acme/shop#5 is closed: nothing is posted
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    # merged
    error: acme/shop#5 is merged: nothing is posted
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    # locked
    error: the conversation of acme/shop#5 is locked: the token in GITHUB_TOKEN may not comment on lines of acme/shop#5: Resource not accessible by integration
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    # another number
    error: acme/shop#6 is not there, or the token in GITHUB_TOKEN may not see it
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 6
    status 2
    # no address
    error: `soon` is neither the number of a pull request nor the address of its page
    hint: give a number, such as 5, or the address of its page, such as https://github.com/acme/shop/pull/5
    status 2
    # no token
    error: no token for HOST: set GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN or GITHUB_TOKEN or GH_TOKEN
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    ");
    // It is still there, and the line that was shown posts it.
    assert_eq!(stage.scrum(&["post", "latest", "--pr", "5"]).status, 0);
    assert_eq!(ours(&stage).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_waited_for_is_told() {
    let stage = reviewed().await;
    stage.forge.play(Fault::Limited(2), Some(1));
    let printed = stage.scrum(&["post"]);
    assert_snapshot!(stage.told(&printed), @"
    note: waiting for HOST: secondary rate limit, again in 2 s
    note: posted on https://github.com/acme/shop/pull/5; 1 comment made at lines
    status 0
    ");
    stage.forge.play(Fault::Limited(2), Some(1));
    stage.push("printf 'let b = 2;\\n' >> src/a.rs");
    assert_snapshot!(stage.told(&stage.scrum(&["review", "--pr", "5", "--post", "--quiet"])), @"status 0");
    assert_eq!((ours(&stage).len(), threads(&stage)), (1, vec![(21, false, 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_breaks_half_way_loses_nothing() {
    let stage = reviewed().await;
    stage.forge.play(Fault::Failing, Some(1));
    assert_snapshot!(stage.told(&stage.scrum(&["post"])), @"
    error: the tally is on acme/shop#5, but not every comment at a line could be made or retired: cannot comment on lines of acme/shop#5 at HOST: Server Error; it may have been done all the same
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    ");
    assert_eq!((ours(&stage).len(), threads(&stage).len()), (1, 0));
    assert!(ours(&stage)[0].contains("> Not all comments at lines could be made"), "{}", ours(&stage)[0]);
    assert_eq!(stage.scrum(&["post"]).status, 0);
    assert_eq!((ours(&stage).len(), threads(&stage)), (1, vec![(21, false, 1)]));
    assert!(!ours(&stage)[0].contains("could be made"), "{}", ours(&stage)[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_review_is_resumed_and_posted() {
    let stage = shown_to_github().await;
    fs::write(stage.sandbox.home().join("stuck"), "").unwrap();
    let mut child = stage.spawn(&["review", "--pr", "5", "--post", "--fail-on", "block"]);
    while !stage.sandbox.home().join("begun").exists() {
        tokio::task::yield_now().await;
    }
    stage.sandbox.script(&format!("kill -INT {}", child.id()));
    assert_eq!((child.wait().unwrap().code(), ours(&stage)), (Some(130), Vec::new()));
    fs::remove_file(stage.sandbox.home().join("stuck")).unwrap();
    let resumed = stage.scrum(&["review", "--resume", "latest", "--post"]);
    assert_eq!(resumed.status, 1, "the policy is the interrupted run's: {}", resumed.stderr);
    assert_eq!((ours(&stage).len(), threads(&stage)), (1, vec![(21, false, 1)]));
    assert!(ours(&stage)[0].contains("## scrum: hold"), "{}", ours(&stage)[0]);
    let refused = stage.scrum(&["review", "--resume", "latest", "--full"]);
    assert_eq!(refused.status, 2, "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_pull_request_asks_and_sends_nothing() {
    let stage = reviewed().await;
    stage.push("printf 'let b = leak(2);\\n' >> src/a.rs");
    let from = stage.forge.log().len();
    let printed = stage.scrum(&["review", "--pr", "5", "--dry-run"]);
    assert_eq!((printed.status, changes(&stage, from)), (0, Vec::new()), "{}", printed.stderr);
    assert!(
        printed.stdout.contains("acme/shop#5 after ") && printed.stdout.contains("+1 −0"),
        "{}",
        printed.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_force_push_in_between_is_told() {
    let stage = reviewed().await;
    stage.push("git checkout -q --orphan anew && printf 'other' > src/a.rs");
    let printed = stage.scrum(&["post"]);
    assert_eq!((printed.status, threads(&stage)), (0, Vec::new()), "{}", printed.stderr);
    assert!(printed.stderr.contains("no comments at lines"), "{}", printed.stderr);
    assert!(ours(&stage)[0].contains("> This is a review of `"), "{}", ours(&stage)[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_repository_and_refused_lines() {
    let stage = Stage::new("let a = leak(1);\n").await;
    stage.review(&[]);
    // No hunk is shown, so every line is refused.
    let printed = stage.scrum(&["post"]);
    assert_eq!((printed.status, threads(&stage)), (0, Vec::new()), "{}", printed.stderr);
    assert!(printed.stderr.contains("1 comment refused there"), "{}", printed.stderr);
    assert!(
        ours(&stage)[0].contains("> Said here only, as the platform took no comment at `src/a.rs:21`"),
        "{}",
        ours(&stage)[0]
    );
    stage.forge.change(|pull| {
        pull.former_project = Some("acme/shop".to_owned());
        "acme/store".clone_into(&mut pull.project);
    });
    let printed = stage.scrum(&["post"]);
    assert_snapshot!(stage.told(&printed), @r#"
    error: acme/shop is called acme/store now
    hint: change the remote `origin`, or say `project = "acme/store"` under [forge] in scrum.toml
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_other_commits_are_not_posted() {
    let stage = reviewed().await;
    stage.sandbox.script(
        "git switch -qc elsewhere && echo 'let z = leak(9);' >> src/a.rs && git commit -qam Elsewhere",
    );
    assert_eq!(stage.sandbox.scrum(&["review", "HEAD~1..HEAD"]).status, 0);
    let other = stage.told(&stage.scrum(&["post", "--pr", "5"]));
    let other = regex::Regex::new("[0-9a-f]{7}\\b").unwrap().replace_all(&other, "COMMIT").into_owned();
    stage.sandbox.script("echo 'let y = leak(8);' >> src/a.rs");
    assert_eq!(stage.sandbox.scrum(&["review", "--worktree"]).status, 0);
    let worktree = stage.told(&stage.scrum(&["post", "--pr", "5"]));
    assert_snapshot!(format!("{other}\n{worktree}"), @"
    error: run RUN is of commit COMMIT, which is not known to be in acme/shop#5, now at HEAD
    hint: fetch it if HEAD is not here, or review it: scrum review --pr 5
    status 2
    error: run RUN is of --worktree, which is no commit of a pull request
    hint: review the pull request itself: scrum review --pr N
    status 2
    ");
    assert_eq!(ours(&stage), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_stay_texts() {
    let stage = Stage::new("").await;
    let hostile = "-->**x**<!-- scrum:record AAAA --> @ada </details> ![x](https://evil.example)";
    stage.push("mkdir @bob && printf 'let a = leak(1);\\n' > '@bob/<img>.rs'");
    stage.sandbox.write(
        "scrum.toml",
        stage.configure(hostile).replace("[review]", "[post]\ninline = \"warn\"\n[review]"),
    );
    stage.sandbox.script("git commit -qam Hostile && git push -q origin main");
    let base = stage.sandbox.script("git rev-parse HEAD").trim().to_owned();
    stage.forge.change(|pull| {
        pull.base = base;
        pull.hunks.insert("@bob/<img>.rs".to_owned(), vec![LineRange::new(1, 1)]);
    });
    stage.push("git pull -q --rebase origin main");
    let printed = stage.scrum(&["review", "--pr", "5", "--post"]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    let remark = stage.forge.threads()[0].comments[0].body.clone();
    for text in [&ours(&stage)[0], &remark] {
        let live: Vec<String> = live(text).into_keys().collect();
        assert!(
            live.iter().all(|one| !one.contains("evil")
                && !one.contains("ada")
                && !one.contains("bob")
                && !one.contains("img")),
            "{live:?}\n{text}"
        );
    }
    assert_eq!(ours(&stage)[0].matches("<!-- scrum:record ").count(), 1);
}
