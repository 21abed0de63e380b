//! GitHub as `scrum` asks it, tried on the mock.

use std::time::Duration;

use scrum::{
    finding::LineRange,
    forge::{Credential, Forge, ForgeError, Token, github, waiting::in_silence},
    pull::{Address, CommitStatus, Placed, Platform, PullState, Remark, StatusState, Thread},
};

use super::{
    super::{Fault, MockForge, OURS, Pull, TOKEN},
    GitHub,
};

const BASE: &str = "ba5e0000000000000000000000000000000000ba";
const HEAD: &str = "4ead0000000000000000000000000000000000ad";

/// A pull request whose diff shows lines 10 to 20 of `src/a.rs`.
fn pull() -> Pull {
    Pull::new("acme/shop", 5, BASE, HEAD).with_hunk("src/a.rs", 10, 20)
}

async fn mock(pull: Pull) -> MockForge {
    MockForge::start(GitHub::new(), pull).await
}

fn address(forge: &MockForge) -> Address {
    Address { platform: Platform::GitHub, api: forge.url.clone(), project: "acme/shop".to_owned(), number: 5 }
}

fn with_token(forge: &MockForge, token: Option<&str>) -> github::GitHub {
    let token = token.map(|token| Token { variable: "GITHUB_TOKEN".to_owned(), secret: token.into() });
    let variables = vec!["GITHUB_TOKEN".to_owned(), "GH_TOKEN".to_owned()];
    github::GitHub::open(address(forge), Credential { token, variables }, in_silence()).unwrap()
}

fn opened(forge: &MockForge) -> github::GitHub {
    with_token(forge, Some(TOKEN))
}

fn remark(start: u32, end: u32) -> Remark {
    Remark {
        path: "src/a.rs".to_owned(),
        old_path: None,
        lines: LineRange::new(start, end),
        old_line: None,
        body: format!("about {start}-{end}"),
    }
}

/// The error's text without the mock's port.
fn told<T>(forge: &MockForge, outcome: Result<T, ForgeError>) -> String {
    let host = forge.url.trim_start_matches("http://");
    outcome.err().map_or_else(|| "done".to_owned(), |error| error.to_string().replace(host, "HOST"))
}

#[tokio::test]
async fn facts_of_a_pull_request() {
    let forge = mock(pull()).await;
    let found = opened(&forge).pull().await.unwrap();
    assert_eq!((found.base.as_str(), found.head.as_str(), found.state), (BASE, HEAD, PullState::Open));
    assert_eq!(found.page, "https://github.com/acme/shop/pull/5");
    assert!(!found.is_from_fork && !found.is_locked);
    forge.change(|pull| (pull.state, pull.is_from_fork, pull.is_locked) = (PullState::Merged, true, true));
    let found = with_token(&forge, None).pull().await.unwrap();
    assert!(found.state == PullState::Merged && found.is_from_fork && found.is_locked);
}

#[tokio::test]
async fn the_whole_conversation_is_read_and_ours_is_known() {
    let forge = mock(pull()).await;
    forge.change(|pull| {
        for number in 0..230 {
            pull.say(if number == 7 { OURS } else { "ada" }, &format!("text {number}"));
        }
        // Somebody whose name is like ours, as the marker of ours may be copied.
        pull.say("scrum-bot[bot]", "text 230");
    });
    let comments = opened(&forge).comments().await.unwrap();
    let texts: Vec<String> = comments.iter().map(|comment| comment.body.clone()).collect();
    assert_eq!(texts, (0..=230).map(|number| format!("text {number}")).collect::<Vec<_>>());
    let ours: Vec<&str> = comments.iter().filter(|one| one.is_ours).map(|one| one.body.as_str()).collect();
    assert_eq!(ours, ["text 7"]);
    assert!(with_token(&forge, None).comments().await.unwrap().iter().all(|comment| !comment.is_ours));
}

#[tokio::test]
async fn threads_with_their_state() {
    let forge = mock(pull()).await;
    forge.change(|pull| {
        let lines = LineRange::new(10, 12);
        let ours = pull.begin(OURS, "src/a.rs", lines, "one");
        pull.answer(ours, "ada", "/scrum dismiss i1 known");
        pull.answer(ours, "ada[bot]", "I am an app");
        let other = pull.begin("ada", "src/a.rs", lines, "two");
        pull.thread(other).unwrap().is_resolved = true;
        pull.thread(ours).unwrap().is_outdated = true;
        for _ in 0..120 {
            pull.begin(OURS, "src/a.rs", lines, "more");
        }
    });
    let line = |thread: &Thread| {
        let answers: Vec<String> =
            thread.answers.iter().map(|one| format!("{}: {}", one.author, one.body)).collect();
        let (first, state) = (&thread.first, (thread.is_outdated, thread.is_resolved));
        format!("{} {} {} {state:?} {}", first.author, first.is_ours, first.body, answers.join(" | "))
    };
    let seen = opened(&forge).threads().await.unwrap();
    assert_eq!(seen.len(), 122);
    insta::assert_snapshot!(seen[..2].iter().map(line).collect::<Vec<_>>().join("\n"), @"
    scrum-bot true one (true, false) ada: /scrum dismiss i1 known | ada[bot]: I am an app
    ada false two (false, true)
    ");
    let seen = with_token(&forge, None).threads().await.unwrap();
    assert_eq!(seen.len(), 122);
    insta::assert_snapshot!(seen[..2].iter().map(line).collect::<Vec<_>>().join("\n"), @"
    scrum-bot false one (true, false) ada: /scrum dismiss i1 known | ada[bot]: I am an app
    ada false two (false, false)
    ");
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let endless = crate::mock::Mock::start(|asked| {
        let data = r#"{"repository": {"pullRequest": {"reviewThreads": {"pageInfo": {"hasNextPage": true, "endCursor": "c"}, "nodes": []}}}}"#;
        let is_graphql = asked.path == "/graphql";
        let body = if is_graphql { format!(r#"{{"data": {data}}}"#) } else { "[]".to_owned() };
        let next = format!("<http://{}{}>; rel=\"next\"", asked.headers["host"].to_str().unwrap(), asked.path);
        std::future::ready(crate::mock::Act::Page { status: 200, headers: vec![("link", next)], body })
    })
    .await;
    let forge = mock(pull()).await;
    let address = Address { api: endless.url.trim_end_matches("/v1").to_owned(), ..address(&forge) };
    for token in [None, Some(Token { variable: "GITHUB_TOKEN".to_owned(), secret: TOKEN.into() })] {
        let credential = Credential { token, variables: Vec::new() };
        let said = github::GitHub::open(address.clone(), credential, in_silence())
            .unwrap()
            .threads()
            .await
            .unwrap_err();
        assert!(said.to_string().ends_with("there are more than 100 pages"), "{said}");
    }
    assert_eq!(endless.asked().len(), 200);
}

#[tokio::test]
async fn a_comment_is_made_edited_and_deleted() {
    let forge = mock(pull()).await;
    let github = opened(&forge);
    let comment = github.comment("first").await.unwrap();
    assert!(comment.is_ours && comment.author == OURS && comment.body == "first");
    github.edit(&comment.id, "second").await.unwrap();
    assert_eq!(forge.bodies(), ["second"]);
    github.delete(&comment.id).await.unwrap();
    github.delete(&comment.id).await.unwrap();
    assert!(forge.bodies().is_empty());
    let edited = github.edit(&comment.id, "third").await;
    insta::assert_snapshot!(told(&forge, edited), @"comment 1 of acme/shop#5 is not there, or the token in GITHUB_TOKEN may not see it");
    let too_long = github.comment(&"x".repeat(70_000)).await;
    insta::assert_snapshot!(told(&forge, too_long), @"HOST refused to comment on acme/shop#5: Validation Failed; body is too long (maximum is 65536 characters)");
}

/// What became of remarks at these lines, and how many reviews were tried.
async fn remarked(forge: &MockForge, lines: &[(u32, u32)]) -> (String, usize) {
    let github = opened(forge);
    let pull = github.pull().await.unwrap();
    let remarks: Vec<Remark> = lines.iter().map(|(start, end)| remark(*start, *end)).collect();
    let placed = github.remark(&pull, &remarks).await.unwrap();
    assert_eq!(placed.len(), remarks.len());
    let accepted = remarks.iter().zip(&placed).filter(|(_, placed)| **placed == Placed::Yes);
    let wanted: Vec<String> = accepted.map(|(remark, _)| remark.body.clone()).collect();
    let made: Vec<String> =
        forge.threads().into_iter().map(|thread| thread.comments[0].body.clone()).collect();
    assert_eq!(made, wanted, "each accepted remark is there once");
    let letters = placed.iter().map(|placed| if *placed == Placed::Yes { '+' } else { '-' }).collect();
    (
        letters,
        forge.log().iter().filter(|line| line.starts_with("POST") && line.ends_with("/reviews")).count(),
    )
}

#[tokio::test]
async fn one_refused_line_loses_no_other() {
    let forge = mock(pull()).await;
    let found = remarked(&forge, &[(10, 10), (11, 13), (5, 5), (20, 20)]).await;
    assert_eq!(found, ("++-+".to_owned(), 5));
}

#[tokio::test]
async fn many_remarks_are_several_reviews() {
    let forge = mock(pull()).await;
    let found = remarked(&forge, &vec![(10, 12); 101]).await;
    assert_eq!(found, ("+".repeat(101), 3));
}

#[tokio::test]
async fn a_review_that_was_made_without_an_answer_is_seen() {
    let forge = mock(pull()).await;
    forge.play(Fault::Lost, Some(1));
    assert_eq!(remarked(&forge, &[(10, 10), (11, 13)]).await, ("++".to_owned(), 1));
    let github = opened(&forge);
    let pull = github.pull().await.unwrap();
    forge.play(Fault::Broken, Some(1));
    insta::assert_snapshot!(told(&forge, github.remark(&pull, &[remark(20, 20)]).await), @"cannot comment on lines of acme/shop#5 at HOST: Server Error; it may have been done all the same");
    assert_eq!(forge.threads().len(), 2);
}

#[tokio::test]
async fn a_refusal_of_the_whole_review_is_not_tried_in_parts() {
    let forge = mock(Pull { has_draft: true, ..pull() }).await;
    assert_eq!(remarked(&forge, &[(10, 10), (11, 11), (12, 12)]).await, ("---".to_owned(), 1));
    let forge = mock(pull()).await;
    let github = opened(&forge);
    let pull = github.pull().await.unwrap();
    forge.change(|pull| pull.head = BASE.to_owned());
    let placed = github.remark(&pull, &[remark(10, 10), remark(11, 11)]).await.unwrap();
    let reason = "Unprocessable Entity; commit_id is not part of the pull request".to_owned();
    assert_eq!(placed, [Placed::Refused(reason.clone()), Placed::Refused(reason)]);
    assert!(forge.threads().is_empty());
}

#[tokio::test]
async fn a_thread_is_resolved_or_else_deleted() {
    let forge = mock(pull()).await;
    let github = opened(&forge);
    let begin = |pull: &mut Pull| pull.begin(OURS, "src/a.rs", LineRange::new(10, 10), "ours");
    forge.change(|pull| (begin(pull), begin(pull)));
    let threads = github.threads().await.unwrap();
    github.retire(&threads[0]).await.unwrap();
    assert_eq!(forge.threads().len(), 1, "without the right to push");
    forge.change(|pull| pull.writers.insert(OURS.to_owned()));
    github.retire(&threads[1]).await.unwrap();
    assert!(forge.threads()[0].is_resolved);
    github.retire(&threads[0]).await.unwrap();
}

#[tokio::test]
async fn an_enterprise_server_has_its_api_below_a_path() {
    let forge = MockForge::start(GitHub::enterprise(), pull()).await;
    let github = opened(&forge);
    forge.change(|pull| pull.begin(OURS, "src/a.rs", LineRange::new(10, 10), "ours"));
    assert_eq!(github.threads().await.unwrap().len(), 1);
    github.comment("text").await.unwrap();
    assert!(github.comments().await.unwrap()[0].is_ours);
    let paths = ["POST /api/graphql", "POST /api/v3/repos/acme/shop/issues/5/comments", "POST /api/graphql"];
    assert_eq!(forge.log()[..3], paths);
}

#[tokio::test]
async fn who_may_write() {
    let forge = mock(pull()).await;
    forge.change(|pull| pull.writers.insert("ada".to_owned()));
    let github = opened(&forge);
    for (login, expect) in [("ada", true), ("eve", false), ("ada[bot]", false)] {
        assert_eq!(github.may_write(login).await, Ok(expect), "{login}");
    }
}

#[tokio::test]
async fn a_status_is_put_on_a_commit() {
    let forge = mock(pull()).await;
    let github = opened(&forge);
    let status = |state, description: String| CommitStatus {
        commit: HEAD.to_owned(),
        context: "scrum".to_owned(),
        state,
        description,
        page: Some("https://github.com/acme/shop/pull/5".to_owned()),
    };
    github.set_status(&status(StatusState::Success, "all\nfine".to_owned())).await.unwrap();
    github.set_status(&status(StatusState::Inconclusive, "ü".repeat(200))).await.unwrap();
    let found: Vec<(String, String, usize)> = forge
        .statuses()
        .into_iter()
        .map(|one| (one.context, one.state, one.description.chars().count()))
        .collect();
    let expect = [("scrum", "success", 8), ("scrum", "error", 140)];
    assert_eq!(found, expect.map(|(context, state, length)| (context.to_owned(), state.to_owned(), length)));
    assert_eq!(forge.statuses()[0].description, "all fine");
    let elsewhere = CommitStatus { commit: "0".repeat(40), ..status(StatusState::Failure, String::new()) };
    insta::assert_snapshot!(told(&forge, github.set_status(&elsewhere).await), @"HOST refused to put a status on commit 0000000 of acme/shop: No commit found for SHA: 0000000000000000000000000000000000000000");
}

#[tokio::test]
async fn what_goes_wrong_is_said_clearly() {
    let mut lines = Vec::new();
    for (name, fault, token) in [
        ("expired", Some(Fault::Expired), Some(TOKEN)),
        ("wrong", None, Some("another-token-0123456789")),
        ("read-only", Some(Fault::ReadOnly), Some(TOKEN)),
        ("hidden", Some(Fault::Hidden), Some(TOKEN)),
        ("hidden, no token", Some(Fault::Hidden), None),
        ("no token", None, None),
        ("limited", Some(Fault::Limited(1_200)), Some(TOKEN)),
        ("broken", Some(Fault::Broken), Some(TOKEN)),
        ("lost", Some(Fault::Lost), Some(TOKEN)),
    ] {
        let forge = mock(pull()).await;
        if let Some(fault) = fault {
            forge.play(fault, None);
        }
        let said = told(&forge, with_token(&forge, token).comment("text").await);
        lines.push(format!(
            "{name}: {said} [{} made, {} asked]",
            forge.bodies().len(),
            forge.requests().len()
        ));
    }
    let forge = mock(Pull { is_locked: true, ..pull() }).await;
    lines.push(format!("locked: {}", told(&forge, opened(&forge).comment("text").await)));
    insta::assert_snapshot!(lines.join("\n"), @"
    expired: HOST does not accept the token in GITHUB_TOKEN: it is wrong, has expired or was revoked [0 made, 1 asked]
    wrong: HOST does not accept the token in GITHUB_TOKEN: it is wrong, has expired or was revoked [0 made, 1 asked]
    read-only: the token in GITHUB_TOKEN may not comment on acme/shop#5: Resource not accessible by integration [0 made, 1 asked]
    hidden: acme/shop#5 is not there, or the token in GITHUB_TOKEN may not see it [0 made, 1 asked]
    hidden, no token: no token for HOST: set GITHUB_TOKEN or GH_TOKEN [0 made, 0 asked]
    no token: no token for HOST: set GITHUB_TOKEN or GH_TOKEN [0 made, 0 asked]
    limited: HOST allows no more requests for 20 min: You have exceeded a secondary rate limit. Please wait a few minutes before you try again. [0 made, 1 asked]
    broken: cannot comment on acme/shop#5 at HOST: Server Error; it may have been done all the same [0 made, 1 asked]
    lost: cannot comment on acme/shop#5 at HOST: connection closed before message completed; it may have been done all the same [1 made, 1 asked]
    locked: the token in GITHUB_TOKEN may not comment on acme/shop#5: Unable to create comment because issue is locked.
    ");
}

#[tokio::test]
async fn short_trouble_passes() {
    let forge = mock(pull()).await;
    let github = opened(&forge);
    forge.play(Fault::Limited(1), Some(1));
    github.comment("text").await.unwrap();
    assert_eq!(forge.bodies(), ["text"]);
    forge.play(Fault::Broken, Some(1));
    let id = github.comments().await.unwrap()[0].id.clone();
    forge.play(Fault::Lost, Some(1));
    github.edit(&id, "new").await.unwrap();
    forge.play(Fault::Slow(Duration::from_millis(50)), Some(1));
    assert_eq!(github.comments().await.unwrap()[0].body, "new");
    // Over a connection that was used before, too, nothing is sent twice.
    forge.play(Fault::Lost, Some(1));
    assert!(github.comment("once").await.is_err());
    assert_eq!(forge.bodies(), ["new", "once"]);
}

#[tokio::test]
async fn a_renamed_repository_is_read_and_not_written() {
    let renamed =
        Pull { project: "acme/store".to_owned(), former_project: Some("acme/shop".to_owned()), ..pull() };
    let forge = mock(renamed).await;
    let github = opened(&forge);
    assert_eq!(github.pull().await.unwrap().head, HEAD);
    assert_eq!(github.comments().await.unwrap(), []);
    assert_eq!(github.threads().await.unwrap(), []);
    insta::assert_snapshot!(told(&forge, github.comment("text").await), @"acme/shop is called acme/store now");
    assert!(forge.bodies().is_empty());
}

/// A server that sends elsewhere gets the token, and elsewhere nothing at all.
#[tokio::test]
async fn a_token_goes_to_no_other_server() {
    let elsewhere = mock(pull()).await;
    let target = format!("{}/repos/acme/shop/pulls/5", elsewhere.url);
    let sending = crate::mock::Mock::always(move || crate::mock::Act::Page {
        status: 301,
        headers: vec![("location", target.clone())],
        body: String::new(),
    })
    .await;
    let api = sending.url.trim_end_matches("/v1").to_owned();
    let token = Token { variable: "GITHUB_TOKEN".to_owned(), secret: TOKEN.into() };
    let address = Address { api: api.clone(), ..address(&elsewhere) };
    let github =
        github::GitHub::open(address, Credential { token: Some(token), variables: Vec::new() }, in_silence())
            .unwrap();
    let host = |url: &str| url.trim_start_matches("http://").to_owned();
    for outcome in [github.pull().await.map(drop), github.comment("text").await.map(drop)] {
        let said = outcome.unwrap_err().to_string();
        let said = said.replace(&host(&api), "HERE").replace(&host(&elsewhere.url), "THERE");
        assert!(said.contains("it redirects to THERE, where the token does not go"), "{said}");
    }
    assert_eq!(sending.asked().len(), 3, "a read, a change, and a read of the name");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_server_cannot_make_us_print_the_token_or_its_escapes() {
    let hostile = crate::mock::Mock::always(|| crate::mock::Act::Page {
        status: 403,
        headers: Vec::new(),
        body: format!(r#"{{"message": "you sent {TOKEN}\u001b[31m\nand more {}"}}"#, "x".repeat(5_000)),
    })
    .await;
    let forge = mock(pull()).await;
    let token = Token { variable: "GITHUB_TOKEN".to_owned(), secret: TOKEN.into() };
    let address = Address { api: hostile.url.trim_end_matches("/v1").to_owned(), ..address(&forge) };
    let credential = Credential { token: Some(token), variables: Vec::new() };
    assert!(!format!("{credential:?}").contains(TOKEN));
    let said = github::GitHub::open(address, credential, in_silence())
        .unwrap()
        .pull()
        .await
        .unwrap_err()
        .to_string();
    assert!(
        said.starts_with(
            "the token in GITHUB_TOKEN may not read acme/shop#5: you sent [key]␛[31m and more xxx"
        ),
        "{said}"
    );
    assert!(said.chars().count() < 400, "{said}");
}
