//! Gitea and Forgejo as `scrum` asks them, tried on the mock.

use scrum::{
    finding::LineRange,
    forge::{Credential, Forge, ForgeError, Token, gitea, waiting::in_silence},
    pull::{Address, CommitStatus, Placed, Platform, PullState, Remark, StatusState},
};

use super::{
    super::{Fault, MockForge, OURS, Pull, TOKEN},
    Gitea, Make,
};

const BASE: &str = "ba5e0000000000000000000000000000000000ba";
const HEAD: &str = "4ead0000000000000000000000000000000000ad";

/// A pull request whose diff shows lines 10 to 20 of `src/a.rs`.
fn pull() -> Pull {
    Pull::new("acme/shop", 9, BASE, HEAD).with_hunk("src/a.rs", 10, 20)
}

async fn mock(pull: Pull) -> MockForge {
    MockForge::start(Gitea::new(Make::Gitea), pull).await
}

fn with_token(forge: &MockForge, token: Option<&str>) -> gitea::Gitea {
    let (platform, api) = (Platform::Gitea, forge.url.clone());
    let address = Address { platform, api, project: "acme/shop".to_owned(), number: 9 };
    let token = token.map(|token| Token { variable: "GITEA_TOKEN".to_owned(), secret: token.into() });
    let variables = vec!["GITEA_TOKEN".to_owned(), "FORGEJO_TOKEN".to_owned()];
    gitea::Gitea::open(address, Credential { token, variables }, in_silence()).unwrap()
}

fn opened(forge: &MockForge) -> gitea::Gitea {
    with_token(forge, Some(TOKEN))
}

fn remark(line: u32) -> Remark {
    Remark {
        path: "src/a.rs".to_owned(),
        old_path: None,
        lines: LineRange::new(line, line),
        old_line: None,
        body: format!("about {line}"),
    }
}

/// The error's text without the mock's port.
fn told<T>(forge: &MockForge, outcome: Result<T, ForgeError>) -> String {
    let host = forge.url.trim_start_matches("http://").trim_end_matches("/api/v1");
    outcome.err().map_or_else(|| "done".to_owned(), |error| error.to_string().replace(host, "HOST"))
}

#[tokio::test]
async fn facts_of_a_pull_request() {
    let forge = mock(pull()).await;
    let found = opened(&forge).pull().await.unwrap();
    assert_eq!((found.base.as_str(), found.head.as_str(), found.state), (BASE, HEAD, PullState::Open));
    assert_eq!(found.page, "https://codeberg.org/acme/shop/pulls/9");
    assert!(!found.is_from_fork && !found.is_locked);
    forge.change(|pull| (pull.state, pull.is_from_fork, pull.is_locked) = (PullState::Closed, true, true));
    let found = with_token(&forge, None).pull().await.unwrap();
    assert!(found.state == PullState::Closed && found.is_from_fork && found.is_locked);
}

#[tokio::test]
async fn the_whole_conversation_is_read_and_ours_is_known() {
    let forge = mock(pull()).await;
    forge.change(|pull| {
        for number in 0..230 {
            pull.say(if number == 7 { OURS } else { "ada" }, &format!("text {number}"));
        }
    });
    let comments = opened(&forge).comments().await.unwrap();
    assert_eq!(comments.len(), 230);
    let ours: Vec<&str> = comments.iter().filter(|one| one.is_ours).map(|one| one.body.as_str()).collect();
    assert_eq!(ours, ["text 7"]);
    assert!(with_token(&forge, None).comments().await.unwrap().iter().all(|comment| !comment.is_ours));
}

#[tokio::test]
async fn threads_with_their_state() {
    let forge = mock(pull()).await;
    forge.change(|pull| {
        let lines = LineRange::new(12, 12);
        let ours = pull.begin(OURS, "src/a.rs", lines, "one");
        pull.begin(OURS, "src/a.rs", lines, "another of ours at that line");
        pull.answer(ours, "ada", "/scrum dismiss i1 known");
        let other = pull.begin("ada", "src/a.rs", LineRange::new(14, 14), "two");
        pull.thread(other).unwrap().is_resolved = true;
        for line in 30..100 {
            pull.begin(OURS, "src/a.rs", LineRange::new(line, line), "more");
        }
    });
    let seen = opened(&forge).threads().await.unwrap();
    assert_eq!(seen.len(), 73);
    let lines = seen[..4].iter().map(|thread| {
        let answers: Vec<String> =
            thread.answers.iter().map(|one| format!("{}: {}", one.author, one.body)).collect();
        let state = (thread.first.is_ours, thread.is_resolved);
        format!("{} {state:?} {}", thread.first.body, answers.join(" | ")).trim_end().to_owned()
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    one (true, false) ada: /scrum dismiss i1 known
    another of ours at that line (true, false) ada: /scrum dismiss i1 known
    two (false, true)
    more (true, false)
    ");
}

#[tokio::test]
async fn a_comment_is_made_edited_and_deleted() {
    let forge = mock(pull()).await;
    let gitea = opened(&forge);
    let comment = gitea.comment("first").await.unwrap();
    assert!(comment.is_ours && comment.author == OURS && comment.body == "first");
    gitea.edit(&comment.id, "second").await.unwrap();
    assert_eq!(forge.bodies(), ["second"]);
    gitea.delete(&comment.id).await.unwrap();
    gitea.delete(&comment.id).await.unwrap();
    assert!(forge.bodies().is_empty());
}

/// What became of remarks at these lines, and what stands there.
async fn remarked(forge: &MockForge, lines: &[u32]) -> (String, Vec<String>) {
    let gitea = opened(forge);
    let pull = gitea.pull().await.unwrap();
    let remarks: Vec<Remark> = lines.iter().map(|line| remark(*line)).collect();
    let placed = gitea.remark(&pull, &remarks).await.unwrap();
    let letters = placed.iter().map(|placed| if *placed == Placed::Yes { '+' } else { '-' }).collect();
    (letters, forge.threads().into_iter().map(|thread| thread.comments[0].body.clone()).collect())
}

#[tokio::test]
async fn a_review_that_breaks_in_the_middle_leaves_nothing_behind() {
    let platform = Gitea { breaks: Some(13), ..Gitea::new(Make::Forgejo) };
    let forge = MockForge::start(platform, pull()).await;
    let made = [11, 12, 14, 15].map(|line| format!("about {line}")).to_vec();
    assert_eq!(remarked(&forge, &[11, 12, 13, 14, 15]).await, ("++-++".to_owned(), made));
    assert!(!forge.change(|pull| pull.has_draft));
}

#[tokio::test]
async fn many_remarks_are_several_reviews() {
    let forge = mock(pull()).await;
    let lines: Vec<u32> = (1..=101).collect();
    assert_eq!(remarked(&forge, &lines).await.0, "+".repeat(101));
    let reviews = forge.log().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(reviews, 3);
}

#[tokio::test]
async fn what_was_made_without_an_answer_is_not_made_again() {
    let forge = mock(pull()).await;
    forge.play(Fault::Lost, Some(1));
    let made = vec!["about 11".to_owned(), "about 12".to_owned()];
    assert_eq!(remarked(&forge, &[11, 12]).await, ("++".to_owned(), made));
}

/// Somebody's unfinished review would be published with ours.
#[tokio::test]
async fn a_draft_of_the_accounts_owner_is_left_alone() {
    let forge = mock(Pull { has_draft: true, ..pull() }).await;
    assert_eq!(remarked(&forge, &[11, 12]).await, ("--".to_owned(), Vec::new()));
    assert!(forge.change(|pull| pull.has_draft));
    assert!(!forge.log().iter().any(|line| line.starts_with("POST")));
}

#[tokio::test]
async fn a_thread_is_retired_as_each_server_can() {
    for make in [Make::Gitea, Make::OldGitea, Make::Forgejo] {
        let forge = MockForge::start(Gitea::new(make), pull()).await;
        let gitea = opened(&forge);
        forge.change(|pull| pull.begin(OURS, "src/a.rs", LineRange::new(10, 10), "ours"));
        let threads = gitea.threads().await.unwrap();
        gitea.retire(&threads[0]).await.unwrap();
        let left: Vec<bool> = forge.threads().iter().map(|thread| thread.is_resolved).collect();
        let expect: &[bool] = if make == Make::Gitea { &[true] } else { &[] };
        assert_eq!(left, expect, "{make:?}");
        gitea.retire(&threads[0]).await.unwrap();
    }
}

#[tokio::test]
async fn who_may_write() {
    let forge = mock(pull()).await;
    forge.change(|pull| pull.writers.insert("ada".to_owned()));
    let gitea = opened(&forge);
    for (login, expect) in [("ada", true), ("eve", false), ("nobody", false)] {
        assert_eq!(gitea.may_write(login).await, Ok(expect), "{login}");
    }
    let forge = MockForge::start(Gitea { is_admin: false, ..Gitea::new(Make::Gitea) }, pull()).await;
    let said = told(&forge, opened(&forge).may_write("ada").await);
    insta::assert_snapshot!(said, @"the token in GITEA_TOKEN may not read who may write to acme/shop#9: Only admins can query all permissions, repo admins can query all repo permissions, collaborators can query only their own");
}

#[tokio::test]
async fn a_status_is_put_on_a_commit() {
    let forge = mock(pull()).await;
    let gitea = opened(&forge);
    for state in [StatusState::Success, StatusState::Failure, StatusState::Inconclusive] {
        let (commit, context) = (HEAD.to_owned(), "scrum".to_owned());
        let description = "two\nlines".to_owned();
        gitea.set_status(&CommitStatus { commit, context, state, description, page: None }).await.unwrap();
    }
    let states: Vec<String> = forge.statuses().into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["success", "failure", "error"]);
    assert_eq!(forge.statuses()[0].description, "two lines");
}

#[tokio::test]
async fn what_goes_wrong_is_said_clearly() {
    let mut lines = Vec::new();
    for (name, fault, token) in [
        ("expired", Some(Fault::Expired), Some(TOKEN)),
        ("wrong", None, Some("another-token-0123456789")),
        ("read-only", Some(Fault::ReadOnly), Some(TOKEN)),
        ("hidden", Some(Fault::Hidden), Some(TOKEN)),
        ("no token", None, None),
        ("limited", Some(Fault::Limited(1_200)), Some(TOKEN)),
        ("lost", Some(Fault::Lost), Some(TOKEN)),
    ] {
        let forge = mock(pull()).await;
        if let Some(fault) = fault {
            forge.play(fault, None);
        }
        let said = told(&forge, with_token(&forge, token).comment("text").await);
        lines.push(format!("{name}: {said} [{} made]", forge.bodies().len()));
    }
    let forge = mock(Pull { is_locked: true, ..pull() }).await;
    lines.push(format!("locked: {}", told(&forge, opened(&forge).comment("text").await)));
    insta::assert_snapshot!(lines.join("\n"), @"
    expired: HOST does not accept the token in GITEA_TOKEN: it is wrong, has expired or was revoked [0 made]
    wrong: HOST does not accept the token in GITEA_TOKEN: it is wrong, has expired or was revoked [0 made]
    read-only: the token in GITEA_TOKEN may not comment on acme/shop#9: token does not have at least one of required scope(s), required=[write:issue], token scope=read:issue [0 made]
    hidden: acme/shop#9 is not there, or the token in GITEA_TOKEN may not see it [0 made]
    no token: no token for HOST: set GITEA_TOKEN or FORGEJO_TOKEN [0 made]
    limited: HOST allows no more requests for 20 min: 429 Too Many Requests [0 made]
    lost: cannot comment on acme/shop#9 at HOST: connection closed before message completed; it may have been done all the same [1 made]
    locked: the token in GITEA_TOKEN may not comment on acme/shop#9: issue is locked
    ");
}

#[tokio::test]
async fn a_renamed_repository_is_read_and_not_written() {
    let renamed =
        Pull { project: "acme/store".to_owned(), former_project: Some("acme/shop".to_owned()), ..pull() };
    let forge = mock(renamed).await;
    let gitea = opened(&forge);
    assert_eq!(gitea.pull().await.unwrap().head, HEAD);
    assert_eq!(gitea.comments().await.unwrap(), []);
    insta::assert_snapshot!(told(&forge, gitea.comment("text").await), @"acme/shop is called acme/store now");
    assert!(forge.bodies().is_empty());
}
