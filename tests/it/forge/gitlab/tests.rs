//! GitLab as `scrum` asks it, tried on the mock.

use scrum::{
    finding::LineRange,
    forge::{Credential, Forge, ForgeError, Token, gitlab, waiting::in_silence},
    pull::{Address, CommitStatus, Placed, Platform, PullState, Remark, StatusState},
};

use super::{
    super::{Fault, MockForge, OURS, Pull, TOKEN},
    GitLab,
};

const BASE: &str = "ba5e0000000000000000000000000000000000ba";
const HEAD: &str = "4ead0000000000000000000000000000000000ad";

/// A merge request whose diff shows lines 10 to 20 of `src/a.rs`.
fn pull() -> Pull {
    Pull::new("acme/web/shop", 7, BASE, HEAD).with_hunk("src/a.rs", 10, 20)
}

async fn mock(pull: Pull) -> MockForge {
    MockForge::start(GitLab::new(), pull).await
}

fn with_token(forge: &MockForge, token: Option<(&str, &str)>) -> gitlab::GitLab {
    let (platform, api) = (Platform::GitLab, forge.url.clone());
    let address = Address { platform, api, project: "acme/web/shop".to_owned(), number: 7 };
    let token = token.map(|(variable, token)| Token { variable: variable.to_owned(), secret: token.into() });
    gitlab::GitLab::open(
        address,
        Credential { token, variables: vec!["GITLAB_TOKEN".to_owned()] },
        in_silence(),
    )
    .unwrap()
}

fn opened(forge: &MockForge) -> gitlab::GitLab {
    with_token(forge, Some(("GITLAB_TOKEN", TOKEN)))
}

fn remark(line: u32, old_line: Option<u32>) -> Remark {
    Remark {
        path: "src/a.rs".to_owned(),
        old_path: None,
        lines: LineRange::new(line.saturating_sub(1).max(1), line),
        old_line,
        body: format!("about {line}"),
    }
}

/// The error's text without the mock's port.
fn told<T>(forge: &MockForge, outcome: Result<T, ForgeError>) -> String {
    let host = forge.url.trim_start_matches("http://").trim_end_matches("/api/v4");
    outcome.err().map_or_else(|| "done".to_owned(), |error| error.to_string().replace(host, "HOST"))
}

#[tokio::test]
async fn facts_of_a_merge_request() {
    let forge = mock(pull()).await;
    let found = opened(&forge).pull().await.unwrap();
    assert_eq!((found.base.as_str(), found.head.as_str(), found.state), (BASE, HEAD, PullState::Open));
    assert_eq!(found.page, "https://gitlab.com/acme/web/shop/-/merge_requests/7");
    assert!(!found.is_from_fork && !found.is_locked);
    forge.change(|pull| (pull.state, pull.is_from_fork, pull.is_locked) = (PullState::Merged, true, true));
    let found = with_token(&forge, None).pull().await.unwrap();
    assert!(found.state == PullState::Merged && found.is_from_fork && found.is_locked);
}

#[tokio::test]
async fn a_diff_that_is_not_computed_yet_is_waited_for() {
    let forge = MockForge::start(GitLab { reads_without_diff: 1, ..GitLab::new() }, pull()).await;
    assert_eq!(opened(&forge).pull().await.unwrap().head, HEAD);
    assert_eq!(forge.requests().len(), 2);
}

#[tokio::test]
async fn the_whole_conversation_is_read_and_ours_is_known() {
    let forge = mock(pull()).await;
    forge.change(|pull| {
        for number in 0..230 {
            pull.say(if number == 7 { OURS } else { "ada" }, &format!("text {number}"));
        }
        pull.begin(OURS, "src/a.rs", LineRange::new(10, 10), "at a line");
    });
    let comments = opened(&forge).comments().await.unwrap();
    let texts: Vec<String> = comments.iter().map(|comment| comment.body.clone()).collect();
    assert_eq!(texts, (0..230).map(|number| format!("text {number}")).collect::<Vec<_>>());
    let ours: Vec<&str> = comments.iter().filter(|one| one.is_ours).map(|one| one.body.as_str()).collect();
    assert_eq!(ours, ["text 7"]);
    assert!(with_token(&forge, None).comments().await.unwrap().iter().all(|comment| !comment.is_ours));
}

#[tokio::test]
async fn threads_with_their_state() {
    let forge = mock(pull()).await;
    forge.change(|pull| {
        let lines = LineRange::new(10, 12);
        pull.say("ada", "in the conversation");
        let ours = pull.begin(OURS, "src/a.rs", lines, "one");
        pull.answer(ours, "ada", "/scrum dismiss i1 known");
        let other = pull.begin("ada", "src/a.rs", lines, "two");
        pull.thread(other).unwrap().is_resolved = true;
        pull.thread(ours).unwrap().is_outdated = true;
        for _ in 0..120 {
            pull.begin(OURS, "src/a.rs", lines, "more");
        }
    });
    let seen = opened(&forge).threads().await.unwrap();
    assert_eq!(seen.len(), 122);
    let lines = seen[..3].iter().map(|thread| {
        let answers: Vec<String> =
            thread.answers.iter().map(|one| format!("{}: {}", one.author, one.body)).collect();
        let state = (thread.first.is_ours, thread.is_outdated, thread.is_resolved);
        format!("{} {state:?} {}", thread.first.body, answers.join(" | ")).trim_end().to_owned()
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    one (true, true, false) ada: /scrum dismiss i1 known
    two (false, false, true)
    more (true, false, false)
    ");
}

#[tokio::test]
async fn a_comment_is_made_edited_and_deleted() {
    let forge = mock(pull()).await;
    let gitlab = opened(&forge);
    let comment = gitlab.comment("first\n/merge").await.unwrap();
    assert!(comment.is_ours && comment.author == OURS);
    gitlab.edit(&comment.id, "/approve\nsecond").await.unwrap();
    assert_eq!(forge.bodies(), ["\u{200b}/approve\nsecond"]);
    gitlab.delete(&comment.id).await.unwrap();
    gitlab.delete(&comment.id).await.unwrap();
    assert!(forge.bodies().is_empty());
}

/// What became of remarks at these lines.
async fn remarked(forge: &MockForge, remarks: &[Remark]) -> (String, Vec<String>) {
    let gitlab = opened(forge);
    let pull = gitlab.pull().await.unwrap();
    let placed = gitlab.remark(&pull, remarks).await.unwrap();
    let letters = placed.iter().map(|placed| if *placed == Placed::Yes { '+' } else { '-' }).collect();
    (letters, forge.threads().into_iter().map(|thread| thread.comments[0].body.clone()).collect())
}

#[tokio::test]
async fn one_refused_line_loses_no_other() {
    let platform = GitLab { unchanged: vec![12, 13], breaks: Some(15), ..GitLab::new() };
    let forge = MockForge::start(platform, pull()).await;
    // The last but one line breaks the server, and those before it are unchanged lines with and without their old number.
    let remarks = [
        remark(11, None),
        remark(5, None),
        remark(12, Some(10)),
        remark(13, None),
        remark(15, None),
        remark(20, None),
    ];
    let made = ["about 11", "about 12", "about 20"].map(str::to_owned).to_vec();
    assert_eq!(remarked(&forge, &remarks).await, ("+-+--+".to_owned(), made));
}

#[tokio::test]
async fn what_was_made_without_an_answer_is_not_called_refused() {
    let forge = mock(pull()).await;
    forge.play(Fault::Lost, Some(1));
    let made = vec!["about 11".to_owned(), "about 12".to_owned()];
    assert_eq!(remarked(&forge, &[remark(11, None), remark(12, None)]).await, ("++".to_owned(), made));
}

#[tokio::test]
async fn a_diff_that_is_gone_takes_no_remark() {
    let forge = mock(pull()).await;
    let gitlab = opened(&forge);
    let pull = gitlab.pull().await.unwrap();
    forge.change(|pull| pull.head = BASE.to_owned());
    let placed = gitlab.remark(&pull, &[remark(11, None)]).await.unwrap();
    assert_eq!(placed, [Placed::Refused(format!("GitLab has no diff with commit {HEAD}"))]);
}

#[tokio::test]
async fn a_thread_is_resolved_or_else_deleted() {
    let forge = mock(pull()).await;
    let gitlab = opened(&forge);
    let begin = |pull: &mut Pull| pull.begin(OURS, "src/a.rs", LineRange::new(10, 10), "ours");
    forge.change(|pull| (begin(pull), begin(pull)));
    let threads = gitlab.threads().await.unwrap();
    gitlab.retire(&threads[0]).await.unwrap();
    assert_eq!(forge.threads().len(), 1, "without a developer's role");
    forge.change(|pull| pull.writers.insert(OURS.to_owned()));
    gitlab.retire(&threads[1]).await.unwrap();
    assert!(forge.threads()[0].is_resolved);
    gitlab.retire(&threads[0]).await.unwrap();
}

#[tokio::test]
async fn who_may_write() {
    let forge = mock(pull()).await;
    forge.change(|pull| pull.writers.insert("ada".to_owned()));
    let gitlab = opened(&forge);
    for (login, expect) in
        [("ada", true), ("Ada", false), ("reporter", false), ("eve", false), ("nobody", false)]
    {
        assert_eq!(gitlab.may_write(login).await, Ok(expect), "{login}");
    }
}

#[tokio::test]
async fn a_status_is_put_on_a_commit() {
    let forge = mock(pull()).await;
    let gitlab = opened(&forge);
    let status = |state, description: String| CommitStatus {
        commit: HEAD.to_owned(),
        context: "scrum".to_owned(),
        state,
        description,
        page: Some("https://gitlab.com/acme/web/shop/-/merge_requests/7".to_owned()),
    };
    gitlab.set_status(&status(StatusState::Success, "all\nfine".to_owned())).await.unwrap();
    gitlab.set_status(&status(StatusState::Failure, "ü".repeat(200))).await.unwrap();
    // The pipeline of a fork is not the project's.
    forge.change(|pull| pull.is_from_fork = true);
    gitlab.set_status(&status(StatusState::Inconclusive, String::new())).await.unwrap();
    let states: Vec<String> = forge.statuses().into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["success", "failed", "canceled"]);
    let bodies = forge.requests().into_iter().filter(|asked| asked.method == http::Method::POST);
    let pipelines: Vec<String> =
        bodies.map(|asked| format!("{} {}", asked.body["ref"], asked.body["pipeline_id"])).collect();
    let own = "\"refs/merge-requests/7/head\" 46";
    assert_eq!(pipelines, [own, own, "\"topic\" null"]);
}

#[tokio::test]
async fn what_goes_wrong_is_said_clearly() {
    let mut lines = Vec::new();
    let good = Some(("GITLAB_TOKEN", TOKEN));
    for (name, fault, token) in [
        ("expired", Some(Fault::Expired), good),
        ("wrong", None, Some(("GITLAB_TOKEN", "another-token-0123456789"))),
        ("read-only", Some(Fault::ReadOnly), good),
        ("of a job", None, Some(("CI_JOB_TOKEN", TOKEN))),
        ("hidden", Some(Fault::Hidden), good),
        ("no token", None, None),
        ("limited", Some(Fault::Limited(1_200)), good),
        ("lost", Some(Fault::Lost), good),
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
    expired: HOST does not accept the token in GITLAB_TOKEN: invalid_token; Token is expired. You can either do re-authorization or token refresh. [0 made]
    wrong: HOST does not accept the token in GITLAB_TOKEN: invalid_token; Token is expired. You can either do re-authorization or token refresh. [0 made]
    read-only: the token in GITLAB_TOKEN may not comment on acme/web/shop!7: insufficient_scope; The request requires higher privileges than provided by the access token. [0 made]
    of a job: the token in CI_JOB_TOKEN may not comment on acme/web/shop!7: 403 Forbidden [0 made]
    hidden: acme/web/shop!7 is not there, or the token in GITLAB_TOKEN may not see it [0 made]
    no token: no token for HOST: set GITLAB_TOKEN [0 made]
    limited: HOST allows no more requests for 20 min: This endpoint has been requested too many times. Try again later. [0 made]
    lost: cannot comment on acme/web/shop!7 at HOST: connection closed before message completed; it may have been done all the same [1 made]
    locked: the token in GITLAB_TOKEN may not comment on acme/web/shop!7: 403 Forbidden
    ");
}

#[tokio::test]
async fn short_trouble_passes() {
    let forge = mock(pull()).await;
    let gitlab = opened(&forge);
    forge.play(Fault::Limited(1), Some(1));
    gitlab.comment("text").await.unwrap();
    assert_eq!(forge.bodies(), ["text"]);
}

/// By its number, a project is reached under whatever name.
#[tokio::test]
async fn a_renamed_project_is_read_and_written() {
    let renamed = Pull {
        project: "acme/web/store".to_owned(),
        former_project: Some("acme/web/shop".to_owned()),
        ..pull()
    };
    let forge = mock(renamed).await;
    let gitlab = opened(&forge);
    assert_eq!(gitlab.pull().await.unwrap().head, HEAD);
    gitlab.comment("text").await.unwrap();
    assert_eq!(forge.bodies(), ["text"]);
    assert_eq!(gitlab.comments().await.unwrap().len(), 1);
}
