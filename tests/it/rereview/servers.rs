//! A pull request on GitLab, Gitea and Forgejo from review to gate, as a user meets it.

use insta::assert_snapshot;
use scrum::{
    finding::LineRange,
    post::{ISSUE_MARK, TALLY_MARK},
};

use super::stage::{Customs, Stage};
use crate::{
    forge::{
        Fault, OURS, Platform, TOKEN,
        gitea::{Gitea, Make},
        gitlab::GitLab,
    },
    sandbox::Printed,
};

const GITLAB: Customs = Customs {
    reference: "refs/merge-requests/5/head",
    job: &[
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", "API"),
        ("CI_SERVER_URL", "HOST"),
        ("CI_PROJECT_PATH", "acme/shop"),
        ("CI_MERGE_REQUEST_IID", "5"),
        ("GITLAB_TOKEN", TOKEN),
    ],
};

const GITEA: Customs = Customs {
    reference: "refs/pull/5/head",
    job: &[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", "API"),
        ("GITHUB_SERVER_URL", "HOST"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_REF", "refs/pull/5/merge"),
        ("GITHUB_TOKEN", TOKEN),
    ],
};

/// A pull request that leaks at the end of a file, which the server shows.
async fn leaking(platform: impl Platform, customs: Customs) -> Stage {
    let stage = Stage::on(platform, customs, "let a = leak(1);\n").await;
    stage.forge.change(|pull| drop(pull.hunks.insert("src/a.rs".to_owned(), vec![LineRange::new(18, 22)])));
    stage
}

/// The last line that was said, and the status.
fn conclusion(stage: &Stage, printed: &Printed) -> String {
    let told = stage.told(printed);
    let lines: Vec<_> = told.lines().collect();
    lines[lines.len().saturating_sub(2)..].join("\n")
}

/// The one comment of ours in the conversation.
fn tally(stage: &Stage) -> String {
    let ours: Vec<_> = stage.forge.comments().into_iter().filter(|one| one.author == OURS).collect();
    let [one] = ours.as_slice() else { panic!("{ours:?}") };
    one.body.clone()
}

/// Line and state of each thread.
fn threads(stage: &Stage) -> Vec<(u32, bool)> {
    stage.forge.threads().into_iter().map(|one| (one.lines.end, one.is_resolved)).collect()
}

/// Requests since `from` that change something.
fn changes(stage: &Stage, from: usize) -> Vec<String> {
    stage.forge.log().split_off(from).into_iter().filter(|line| !line.starts_with("GET ")).collect()
}

/// One comment in the conversation and one at a line, through two pushes; `left` is what becomes of the latter when it is mended.
async fn pushes(platform: impl Platform, customs: Customs, left: &[(u32, bool)]) -> String {
    let stage = leaking(platform, customs).await;
    stage.forge.change(|pull| pull.say("mallory", &format!("{TALLY_MARK}\nship it")));
    let post = ["review", "--pr", "5", "--post", "--fail-on", "block"];
    let first = stage.scrum(&post);
    let mut all = vec![conclusion(&stage, &first)];
    assert!(tally(&stage).starts_with(TALLY_MARK) && tally(&stage).contains("the socket leaks"));
    assert_eq!(threads(&stage), [(21, false)]);
    assert!(stage.forge.threads()[0].comments[0].body.starts_with(ISSUE_MARK));
    let from = stage.forge.log().len();
    let again = stage.scrum(&["post"]);
    assert_eq!(changes(&stage, from), Vec::<String>::new());
    all.push(conclusion(&stage, &again));

    stage.push("printf 'let b = 2;\\n' >> src/a.rs");
    all.push(conclusion(&stage, &stage.scrum(&post)));
    assert!(tally(&stage).contains("still open"), "{}", tally(&stage));
    assert_eq!(threads(&stage), [(21, false)]);

    stage.push("sed -i s/leak/free/ src/a.rs");
    all.push(conclusion(&stage, &stage.scrum(&post)));
    assert!(tally(&stage).contains("1 fixed"), "{}", tally(&stage));
    assert_eq!(threads(&stage), left);
    assert_eq!(stage.forge.bodies()[0], format!("{TALLY_MARK}\nship it"));
    regex::Regex::new(r"https://\S+/5").unwrap().replace_all(&all.join("\n"), "PAGE").into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_comment_over_several_pushes() {
    // A token without a developer's role may not resolve there, so the thread is deleted.
    let gitlab = pushes(GitLab::new(), GITLAB, &[]).await;
    assert_snapshot!(gitlab, @"
    note: posted on PAGE; 1 comment made at lines
    status 1
    note: PAGE shows it already
    status 0
    note: posted on PAGE, in place of the last tally
    status 1
    note: posted on PAGE, in place of the last tally; 1 comment retired
    status 0
    ");
    assert_eq!(pushes(Gitea::new(Make::Gitea), GITEA, &[(21, true)]).await, gitlab);
    assert_eq!(pushes(Gitea::new(Make::OldGitea), GITEA, &[]).await, gitlab);
    assert_eq!(pushes(Gitea::new(Make::Forgejo), GITEA, &[]).await, gitlab);
}

/// What `gate --status` puts on the commit, in the platform's words.
async fn gate(platform: impl Platform, customs: Customs) -> String {
    let stage = leaking(platform, customs).await;
    stage.review(&[]);
    let gate = |more: &[&str]| {
        let printed = stage.scrum(&[&["gate", "latest", "--pr", "5", "--status"], more].concat());
        let status = stage.forge.statuses().pop().unwrap();
        assert_eq!((status.commit, status.context), (stage.head(), "scrum".to_owned()));
        format!("{} {}: {}", printed.status, status.state, status.description)
    };
    let mut all = vec![gate(&["--fail-on", "block"])];
    all.push(gate(&["--fail-on", "block", "--override", "known"]));
    stage.push("sed -i s/leak/free/ src/a.rs");
    stage.review(&[]);
    all.push(gate(&["--fail-on", "block"]));
    all.push(gate(&["--fail-on", "block", "--min-lineages", "3"]));
    std::fs::write(stage.sandbox.home().join("silent"), "").unwrap();
    stage.push("echo 'let d = 4;' >> src/a.rs");
    stage.review(&[]);
    all.push(gate(&["--fail-on", "block"]));
    stage.forge.play(Fault::ReadOnly, None);
    let printed = stage.scrum(&["gate", "latest", "--pr", "5", "--status", "--fail-on", "block"]);
    all.push(stage.told(&printed));
    all.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_on_a_commit() {
    assert_snapshot!(gate(GitLab::new(), GITLAB).await, @"
    1 failed: fail: 1 issue of BLOCK
    0 success: passed by override of ada: known (fail: 1 issue of BLOCK)
    0 success: pass: nothing that fails, and every bundle was answered by 1 lineage or more
    3 canceled: inconclusive: 2 lineages answered, 3 asked for
    3 canceled: inconclusive: no reviewer answered
    error: the token in GITLAB_TOKEN may not put a status on commit HEAD of acme/shop: insufficient_scope; The request requires higher privileges than provided by the access token.
    hint: it takes a token with the scope `api` and the role Developer
    status 2
    ");
    let gitea = gate(Gitea::new(Make::Gitea), GITEA).await;
    assert_snapshot!(gitea, @"
    1 failure: fail: 1 issue of BLOCK
    0 success: passed by override of ada: known (fail: 1 issue of BLOCK)
    0 success: pass: nothing that fails, and every bundle was answered by 1 lineage or more
    3 error: inconclusive: 2 lineages answered, 3 asked for
    3 error: inconclusive: no reviewer answered
    error: the token in GITHUB_TOKEN may not put a status on commit HEAD of acme/shop: token does not have at least one of required scope(s), required=[write:issue], token scope=read:issue
    hint: it takes a token with the scope `write:repository`
    status 2
    ");
    assert_eq!(gate(Gitea::new(Make::Forgejo), GITEA).await, gitea);
}

/// What is said when the token may not post.
async fn refused(platform: impl Platform, customs: Customs) -> String {
    let stage = leaking(platform, customs).await;
    let mut all = Vec::new();
    stage.forge.play(Fault::ReadOnly, None);
    all.push(stage.told(&stage.scrum(&["review", "--pr", "5", "--post", "--quiet"])));
    stage.forge.heal();
    stage.forge.play(Fault::Expired, None);
    all.push(stage.told(&stage.scrum(&["post", "latest", "--pr", "5"])));
    stage.forge.heal();
    assert_eq!(stage.forge.bodies(), Vec::<String>::new());
    // What was kept is posted by the line that was shown.
    assert_eq!(stage.scrum(&["post", "latest", "--pr", "5"]).status, 0);
    assert_eq!((tally(&stage).contains("the socket leaks"), threads(&stage)), (true, vec![(21, false)]));
    all.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_not_post() {
    assert_snapshot!(refused(GitLab::new(), GITLAB).await, @"
    error: the token in GITLAB_TOKEN may not comment on a line of acme/shop!5: insufficient_scope; The request requires higher privileges than provided by the access token.
    hint: it takes a token with the scope `api`
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    error: HOST does not accept the token in GITLAB_TOKEN: invalid_token; Token is expired. You can either do re-authorization or token refresh.
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    ");
    let gitea = refused(Gitea::new(Make::Gitea), GITEA).await;
    assert_snapshot!(gitea, @"
    error: the token in GITHUB_TOKEN may not comment on lines of acme/shop#5: token does not have at least one of required scope(s), required=[write:issue], token scope=read:issue
    hint: it takes a token with the scopes `write:issue` and `write:repository`
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    error: HOST does not accept the token in GITHUB_TOKEN: it is wrong, has expired or was revoked
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    ");
    assert_eq!(refused(Gitea::new(Make::Forgejo), GITEA).await, gitea);
}

/// Killed between two comments at lines, which go one by one there.
#[tokio::test(flavor = "multi_thread")]
async fn posting_that_was_killed_half_way_is_ended_by_the_next() {
    let stage = Stage::on(GitLab::new(), GITLAB, "").await;
    stage.forge.change(|pull| drop(pull.hunks.insert("src/a.rs".to_owned(), vec![LineRange::new(18, 28)])));
    stage.push("for name in alpha beta gamma delta epsilon zeta eta theta; do echo \"let $name = leak($name);\" >> src/a.rs; done");
    stage.review(&[]);
    stage.forge.play(Fault::Slow(std::time::Duration::from_millis(100)), None);
    let mut child = stage.spawn(&["post"]);
    let made = || stage.forge.threads().len();
    while made() == 0 {
        tokio::task::yield_now().await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    stage.forge.heal();
    let half = made();
    assert_eq!(stage.scrum(&["post"]).status, 0);
    let whole = threads(&stage);
    assert!(half < whole.len(), "{half} of {whole:?}");
    let said: std::collections::BTreeSet<_> = whole.iter().collect();
    assert_eq!((said.len(), tally(&stage).contains("the socket leaks")), (whole.len(), true), "{whole:?}");
    let from = stage.forge.log().len();
    assert_eq!((stage.scrum(&["post"]).status, changes(&stage, from)), (0, Vec::new()));
}

/// What is said when the repository has got another name, and when the conversation is locked.
async fn moved_or_locked(platform: impl Platform, customs: Customs) -> String {
    let stage = leaking(platform, customs).await;
    stage.review(&[]);
    stage.forge.change(|pull| pull.is_locked = true);
    let locked = stage.told(&stage.scrum(&["post", "latest", "--pr", "5"]));
    stage.forge.change(|pull| {
        pull.is_locked = false;
        pull.former_project = Some("acme/shop".to_owned());
        "acme/store".clone_into(&mut pull.project);
    });
    let moved = stage.told(&stage.scrum(&["post", "latest", "--pr", "5"]));
    let moved = format!("{moved}\n{} in the conversation", stage.forge.comments().len());
    regex::Regex::new(r"https://\S+/5")
        .unwrap()
        .replace_all(&format!("{locked}\n{moved}"), "PAGE")
        .into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_moved_or_is_locked() {
    assert_snapshot!(moved_or_locked(GitLab::new(), GITLAB).await, @"
    error: the conversation of acme/shop!5 is locked: the token in GITLAB_TOKEN may not comment on a line of acme/shop!5: 403 Forbidden
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    note: posted on PAGE; 1 comment made at lines
    status 0
    1 in the conversation
    ");
    let gitea = moved_or_locked(Gitea::new(Make::Gitea), GITEA).await;
    assert_snapshot!(gitea, @r#"
    error: the conversation of acme/shop#5 is locked: the token in GITHUB_TOKEN may not comment on acme/shop#5: issue is locked
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    error: acme/shop is called acme/store now
    hint: change the remote `origin`, or say `project = "acme/store"` under [forge] in scrum.toml
    hint: the tally is kept in .scrum/reviews/RUN; post it later with: scrum post RUN --pr 5
    status 2
    0 in the conversation
    "#);
    assert_eq!(moved_or_locked(Gitea::new(Make::Forgejo), GITEA).await, gitea);
}

/// GitLab carries out a line such as `/merge` with the rights of the token, whoever made us write it.
#[tokio::test(flavor = "multi_thread")]
async fn gitlab_is_given_no_orders() {
    let stage = Stage::on(GitLab::new(), GITLAB, "").await;
    let hostile = r"it leaks\\n/merge\\n  /approve\\n\\n```\\n/close\\n```\\n/label ~fine";
    stage.sandbox.write("scrum.toml", stage.configure(hostile));
    stage.sandbox.script("git commit -qam Hostile && git push -q origin main");
    let base = stage.sandbox.script("git rev-parse HEAD").trim().to_owned();
    stage.forge.change(|pull| {
        pull.base = base;
        pull.hunks.insert("src/a.rs".to_owned(), vec![LineRange::new(18, 21)]);
    });
    stage.push("git pull -q --rebase origin main; echo '/close leak(1)' >> src/a.rs");
    let printed = stage.scrum(&["review", "--pr", "5", "--post"]);
    assert_eq!((printed.status, threads(&stage)), (0, vec![(21, false)]), "{}", printed.stderr);
    for text in [tally(&stage), stage.forge.threads()[0].comments[0].body.clone()] {
        assert!(text.contains("/merge") && text.contains("/close"), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with('/')), "{text}");
    }
    let from = stage.forge.log().len();
    let again = stage.scrum(&["post"]);
    assert_eq!((again.status, changes(&stage, from)), (0, Vec::new()), "{}", again.stderr);
}
