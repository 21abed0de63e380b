//! Posting to a platform that is a list in memory: [`Memory`].

use std::sync::Mutex;

use super::*;
use crate::{
    bundle::{Bundle, Guard},
    change::RangeInfo,
    coverage::{Outcome, State},
    forge::Limits,
    git::read_diff,
    judgement::Judgements,
    post::{ISSUE_MARK, TALLY_MARK, issue_of, remarks::Inline},
    pull::{Address, CommitStatus, Platform, Remark, Reviewed},
    reviewer::{Lineage, Panel, ReviewerId, Seat},
    tally::{
        self, Agreement, Input, RunInfo, TaskReply,
        gate::{FailOn, Policy},
        since::{Earlier, Last, Scope, Since, Whereabouts},
    },
};

const BASE: &str = "ba5e0000000000000000000000000000000000ba";
const HEAD: &str = "4ead0000000000000000000000000000000000ad";
const LATER: &str = "1a7e0000000000000000000000000000000000e7";

/// What somebody else does at some point.
type Meanwhile = Box<dyn FnOnce(&mut Held) + Send>;

#[derive(Default)]
struct Held {
    comments: Vec<Comment>,
    threads: Vec<Thread>,
    log: Vec<String>,
    refused: Vec<u32>,
    /// Requests until it fails, and how.
    failing: Option<(usize, ForgeError)>,
    meanwhile: Option<(&'static str, Meanwhile)>,
}

/// A platform that holds acme/shop#5.
pub(in crate::run) struct Memory {
    address: Address,
    pull: PullRequest,
    state: Mutex<Held>,
}

impl Memory {
    pub(in crate::run) fn new() -> Self {
        let pull = PullRequest {
            state: PullState::Open,
            base: BASE.to_owned(),
            head: HEAD.to_owned(),
            is_from_fork: false,
            is_locked: false,
            page: "https://github.com/acme/shop/pull/5".to_owned(),
        };
        Self { address: address(5), pull, state: Mutex::default() }
    }

    fn at(head: &str) -> Self {
        let mut memory = Self::new();
        memory.pull.head = head.to_owned();
        memory
    }

    fn with<T>(&self, change: impl FnOnce(&mut Held) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// Notes a request, lets somebody else act before it, and fails where it should.
    fn request(&self, what: &str) -> Result<(), ForgeError> {
        self.with(|state| {
            if let Some((_, act)) = state.meanwhile.take_if(|(before, _)| what.starts_with(*before)) {
                act(state);
            }
            state.log.push(what.to_owned());
            match &mut state.failing {
                Some((0, error)) => return Err(error.clone()),
                Some((left, _)) => *left -= 1,
                None => {}
            }
            Ok(())
        })
    }

    /// What was asked since the last time, without what only reads.
    fn changes(&self) -> String {
        let log = self.with(|state| std::mem::take(&mut state.log));
        log.into_iter().filter(|line| !line.starts_with("read")).collect::<Vec<_>>().join(", ")
    }

    fn bodies(&self) -> Vec<String> {
        self.with(|state| state.comments.iter().map(|one| one.body.clone()).collect())
    }
}

impl Held {
    fn say(&mut self, author: &str, body: &str) -> Comment {
        let at = self.comments.len() + self.threads.len() + self.log.len();
        let comment = said(at, author, body);
        self.comments.push(comment.clone());
        comment
    }

    fn begin(&mut self, author: &str, body: &str) {
        let at = self.comments.len() + self.threads.len() + self.log.len();
        self.threads.push(Thread {
            id: format!("t{at}"),
            first: said(at, author, body),
            answers: Vec::new(),
            is_outdated: false,
            is_resolved: false,
        });
    }
}

pub(in crate::run) fn said(at: usize, author: &str, body: &str) -> Comment {
    let at = i64::try_from(at).unwrap();
    Comment {
        id: at.to_string(),
        author: author.to_owned(),
        is_ours: author == "us",
        body: body.to_owned(),
        at: jiff::Timestamp::from_second(1_800_000_000 + at).unwrap(),
    }
}

fn address(number: u64) -> Address {
    Address {
        platform: Platform::GitHub,
        api: "https://api.github.com".into(),
        project: "acme/shop".into(),
        number,
    }
}

impl Forge for Memory {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits { comment: 8_000, batch: 2 }
    }

    async fn pull(&self) -> Result<PullRequest, ForgeError> {
        self.request("read pull")?;
        Ok(self.pull.clone())
    }

    async fn comments(&self) -> Result<Vec<Comment>, ForgeError> {
        self.request("read comments")?;
        Ok(self.with(|state| state.comments.clone()))
    }

    async fn threads(&self) -> Result<Vec<Thread>, ForgeError> {
        self.request("read threads")?;
        Ok(self.with(|state| state.threads.clone()))
    }

    async fn comment(&self, body: &str) -> Result<Comment, ForgeError> {
        self.request("comment")?;
        Ok(self.with(|state| state.say("us", body)))
    }

    async fn edit(&self, id: &str, body: &str) -> Result<(), ForgeError> {
        self.request(&format!("edit {id}"))?;
        self.with(|state| match state.comments.iter_mut().find(|one| one.id == id) {
            Some(comment) => {
                body.clone_into(&mut comment.body);
                Ok(())
            }
            None => Err(ForgeError::NotFound { what: id.into(), access: "hidden".into() }),
        })
    }

    async fn delete(&self, id: &str) -> Result<(), ForgeError> {
        self.request(&format!("delete {id}"))?;
        self.with(|state| state.comments.retain(|one| one.id != id));
        Ok(())
    }

    async fn remark(&self, _: &PullRequest, remarks: &[Remark]) -> Result<Vec<Placed>, ForgeError> {
        let lines: Vec<String> = remarks.iter().map(|one| one.lines.end.to_string()).collect();
        self.request(&format!("remark {}", lines.join(" ")))?;
        let place = |state: &mut Held, one: &Remark| {
            if state.refused.contains(&one.lines.end) {
                return Placed::Refused("line must be part of the diff".to_owned());
            }
            state.begin("us", &one.body);
            Placed::Yes
        };
        Ok(self.with(|state| remarks.iter().map(|one| place(state, one)).collect()))
    }

    async fn retire(&self, thread: &Thread) -> Result<(), ForgeError> {
        self.request(&format!("retire {}", thread.id))?;
        self.with(|state| {
            state.threads.iter_mut().filter(|one| one.id == thread.id).for_each(|one| one.is_resolved = true);
        });
        Ok(())
    }

    async fn may_write(&self, login: &str) -> Result<bool, ForgeError> {
        Ok(login == "ada")
    }

    async fn set_status(&self, _: &CommitStatus) -> Result<(), ForgeError> {
        Ok(())
    }
}

/// Lines 1 to 9 of a new file.
const DIFF: &str = "diff --git a/a.rs b/a.rs\nnew file mode 100644\n--- /dev/null\n+++ b/a.rs\n@@ -0,0 +1,9 @@\n\
    +l1\n+l2\n+l3\n+l4\n+l5\n+l6\n+l7\n+l8\n+l9\n";

/// A run that finds what `found` says, `SEVERITY line what` each; `started` is its minute.
fn run(started: u32, found: &[&str]) -> Input {
    let block = |text: &&str| {
        let [severity, line, what] = text.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        format!("SEVERITY: {severity}\nWHERE: a.rs:{line}\nQUOTE: l{line}\nWHAT: {what}\nWHY: so\n\n")
    };
    let text = found.iter().map(block).collect::<String>() + "VERDICT: ship\n";
    let id = ReviewerId::new("opus").unwrap();
    let seat = Seat {
        id: id.clone(),
        provider: "openai".into(),
        model: "opus".into(),
        lineage: Lineage::new("anthropic"),
    };
    let files = read_diff(DIFF.as_bytes()).unwrap().files;
    Input {
        run: RunInfo {
            id: format!("run-{started}"),
            started_at: format!("2026-11-21T04:{started:02}:00Z"),
            finished_at: Some("2026-11-21T05:00:00Z".to_owned()),
            ..RunInfo::default()
        },
        range: RangeInfo { base: Some(BASE.into()), head: Some(HEAD.into()), spec: "main...topic".into() },
        panel: Panel { reviewers: vec![seat] },
        bundles: vec![Bundle { id: "c1_a".into(), component: "a".into(), files, guard: Guard::Ok }],
        excluded: Vec::new(),
        replies: vec![TaskReply {
            outcome: Outcome::new("c1_a".into(), id, State::Answered),
            text: Some(text),
        }],
        judgements: Judgements::default(),
        dispositions: Vec::new(),
        since: None,
    }
}

/// Posts a run whose commit is in the history of `within`.
async fn posted_with(
    memory: &Memory,
    input: Input,
    rules: Rules,
    within: &[&str],
) -> Result<Posted, PostError> {
    let tally = tally::tally(input);
    let gate = tally::gate::evaluate(&tally, &Policy::plain(FailOn::Never, 1));
    let contains = |_: &str, commit: &str| within.contains(&commit);
    post(memory, &Posting { tally: &tally, gate: &gate, rules, contains: &contains }).await
}

async fn posted(memory: &Memory, input: Input) -> Result<Posted, PostError> {
    posted_with(memory, input, Rules { inline: Inline::Warn, most: 10 }, &[HEAD, LATER]).await
}

fn refused() -> ForgeError {
    ForgeError::Forbidden {
        variable: "GITHUB_TOKEN".into(),
        action: "comment".into(),
        right: "a scope",
        reason: "no".into(),
    }
}

#[tokio::test]
async fn one_comment_is_added_then_edited_then_left_alone() {
    let memory = Memory::new();
    // Anybody can write the mark; only the author counts.
    memory.with(|state| state.say("mallory", &format!("{TALLY_MARK}\nship")));
    let first = posted(&memory, run(1, &["WARN 3 the file is never closed"])).await.unwrap();
    assert_eq!(
        (first.tally, first.remarks, first.page.as_str()),
        (Written::Added, 1, memory.pull.page.as_str())
    );
    assert_eq!(memory.changes(), "remark 3, comment");
    let again = posted(&memory, run(1, &["WARN 3 the file is never closed"])).await.unwrap();
    assert_eq!((again.tally, again.remarks, memory.changes().as_str()), (Written::Unchanged, 0, ""));
    let later = posted(&memory, run(2, &["WARN 3 the file is never closed"])).await.unwrap();
    assert_eq!((later.tally, later.remarks), (Written::Edited, 0));
    assert!(memory.changes().starts_with("edit "));
    let bodies = memory.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], format!("{TALLY_MARK}\nship"));
    assert!(bodies[1].contains("run-2") && !bodies[1].contains("run-1"), "{}", bodies[1]);
}

#[tokio::test]
async fn what_two_wrote_at_once_becomes_one() {
    let memory = Memory::new();
    let body = format!("{TALLY_MARK}\n<!-- scrum:run run-1 2026-11-21T04:01:00Z {HEAD} -->\nold");
    let other = body.clone();
    memory.with(|state| {
        state.meanwhile = Some(("comment", Box::new(move |state| drop(state.say("us", &other)))));
    });
    posted(&memory, run(2, &[])).await.unwrap();
    assert_eq!(memory.bodies().len(), 1);
    assert!(memory.bodies()[0].contains("run-2"));
    // The other one comes to look as well, and sees that a later run stands there.
    let error = posted(&memory, run(1, &[])).await.unwrap_err();
    assert_eq!(error, PostError::Newer { pull: "acme/shop#5".into(), run: "run-2".into() });
}

#[tokio::test]
async fn a_later_run_that_comes_in_between_stays() {
    let memory = Memory::new();
    posted(&memory, run(1, &[])).await.unwrap();
    let later = format!("{TALLY_MARK}\n<!-- scrum:run run-9 2026-11-21T04:09:00Z {HEAD} -->\nlater");
    let text = later.clone();
    memory.with(|state| {
        // Between our writing and our looking at it.
        state.meanwhile = Some(("edit", Box::new(move |state| drop(state.say("us", &text)))));
        state.comments[0].body += "touched";
    });
    posted(&memory, run(3, &[])).await.unwrap();
    assert_eq!(memory.bodies().len(), 1, "the double is gone; its own run writes the older one anew");
    memory.with(|state| state.comments[0].body = later);
    let error = posted(&memory, run(3, &[])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "acme/shop#5 shows the later run run-9: the older one is not put in its place"
    );
}

#[tokio::test]
async fn remarks_go_in_batches_and_what_is_refused_moves_to_the_tally() {
    let memory = Memory::new();
    memory.with(|state| state.refused = vec![5]);
    let found =
        ["BLOCK 2 the lock is lost", "WARN 5 the index is off by one", "WARN 9 nobody reads the answer"];
    let done = posted(&memory, run(1, &found)).await.unwrap();
    assert_eq!((done.remarks, done.refused), (2, 1));
    assert_eq!(memory.changes(), "remark 2 5, remark 9, comment");
    let body = memory.bodies().remove(0);
    assert!(body.contains("> Said here only, as the platform took no comment at `a.rs:5`"), "{body}");
    assert!(body.contains("): line must be part of the diff"), "{body}");
    // Tried again, as it may be taken one day; nothing else changes.
    posted(&memory, run(1, &found)).await.unwrap();
    assert_eq!(memory.changes(), "remark 5");
}

#[tokio::test]
async fn at_most_so_many_and_only_what_the_rules_want() {
    let found = ["BLOCK 2 the lock is lost", "WARN 5 the index is off by one", "INFO 9 a word is misspelt"];
    let check = async |inline, most, expect: &str| {
        let memory = Memory::new();
        posted_with(&memory, run(1, &found), Rules { inline, most }, &[HEAD, LATER]).await.unwrap();
        assert_eq!(memory.changes(), expect);
    };
    check(Inline::Warn, 10, "remark 2 5, comment").await;
    check(Inline::Warn, 1, "remark 2, comment").await;
    check(Inline::Block, 10, "remark 2, comment").await;
    check(Inline::Convergent, 10, "comment").await;
    check(Inline::None, 10, "comment").await;
}

#[tokio::test]
async fn what_stands_from_earlier_runs_takes_no_room() {
    let memory = Memory::new();
    let rules = Rules { inline: Inline::Warn, most: 1 };
    let found = ["BLOCK 2 the lock is lost", "WARN 5 the index is off by one"];
    posted_with(&memory, run(1, &found), rules, &[]).await.unwrap();
    assert_eq!(memory.changes(), "remark 2, comment");
    // Done again, the run has had its one comment.
    posted_with(&memory, run(1, &found), rules, &[]).await.unwrap();
    assert_eq!(memory.changes(), "");
    memory.with(|state| state.threads[0].first.at = jiff::Timestamp::UNIX_EPOCH);
    posted_with(&memory, run(2, &found), rules, &[]).await.unwrap();
    assert!(memory.changes().starts_with("remark 5, edit "));
}

#[tokio::test]
async fn nothing_is_said_again_whatever_became_of_it() {
    let memory = Memory::new();
    posted(&memory, run(1, &["WARN 3 the file is never closed"])).await.unwrap();
    memory.with(|state| state.threads[0].is_resolved = true);
    memory.changes();
    posted(&memory, run(2, &["WARN 3 the file is never closed"])).await.unwrap();
    assert!(!memory.changes().contains("remark"));
}

#[tokio::test]
async fn threads_of_two_at_once_become_one() {
    let memory = Memory::new();
    let tally = tally::tally(run(1, &["WARN 3 the file is never closed"]));
    let mark = format!("{ISSUE_MARK}{} -->\nthe other run says it", tally.issues[0].id);
    memory.with(|state| {
        state.meanwhile = Some(("remark", Box::new(move |state| state.begin("us", &mark))));
    });
    let done = posted(&memory, run(1, &["WARN 3 the file is never closed"])).await.unwrap();
    assert_eq!((done.remarks, done.retired), (1, 1));
    let open: Vec<String> = memory.with(|state| {
        state.threads.iter().filter(|one| !one.is_resolved).map(|one| one.first.body.clone()).collect()
    });
    assert_eq!(open.len(), 1);
    assert!(open[0].ends_with("the other run says it"), "the older one stays");
}

/// A review of acme/shop#5 after one that had found issue `gone`, whose code is gone.
fn again(found: &[&str], gone: &str) -> Input {
    let pull = Reviewed { address: address(5), base: BASE.into(), target: BASE.into(), head: HEAD.into() };
    let issue = Earlier {
        id: gone.to_owned(),
        path: "a.rs".into(),
        lines: None,
        symbol: None,
        severity: crate::finding::Severity::Block,
        agreement: Agreement::Single,
        lineages: vec![Lineage::new("anthropic")],
        what: "the socket leaks".into(),
        why: String::new(),
        code: None,
        holds: false,
        is_fixed: false,
        disposition: None,
        now: Whereabouts::Gone,
    };
    let last = Last {
        run: "run-0".into(),
        started_at: "2026-11-21T04:00:00Z".into(),
        base: BASE.into(),
        head: BASE.into(),
        fingerprint: "f".into(),
        complete: true,
        issues: vec![issue],
        dropped: 0,
    };
    let since = Since {
        pull,
        scope: Scope::Full("asked for".into()),
        fingerprint: "f".into(),
        last: Some(last),
        decisions: Vec::new(),
        notes: Vec::new(),
    };
    Input { since: Some(since), ..run(1, found) }
}

#[tokio::test]
async fn what_is_over_is_retired_but_no_conversation() {
    let memory = Memory::new();
    let fixed = format!("{ISSUE_MARK}f1f1f1f1f1f1 -->\nfixed");
    memory.with(|state| {
        state.begin("us", &fixed);
        state.begin("us", &fixed);
        state.begin("mallory", &fixed);
        state.begin("us", "no mark");
        state.begin("us", &format!("{ISSUE_MARK}0a0a0a0a0a0a -->\noutdated"));
        state.begin("us", &format!("{ISSUE_MARK}0b0b0b0b0b0b -->\noutdated and answered"));
        let answer = said(99, "ada", "no");
        for at in [1, 5] {
            state.threads[at].answers.push(answer.clone());
        }
        for at in [3, 4, 5] {
            state.threads[at].is_outdated = true;
        }
    });
    let done = posted(&memory, again(&[], "f1f1f1f1f1f1")).await.unwrap();
    assert_eq!(done.retired, 2);
    assert_eq!(memory.changes(), "comment, retire t0, retire t4");
    let body = memory.bodies().remove(0);
    assert!(body.contains("1 fixed") && body.contains("<!-- scrum:record "), "{body}");
    assert!(body.chars().count() <= 8_000);
}

#[tokio::test]
async fn a_run_of_a_plain_range_keeps_the_record() {
    let memory = Memory::new();
    posted(&memory, again(&[], "f1f1f1f1f1f1")).await.unwrap();
    let record = |memory: &Memory| memory.bodies()[0].lines().next_back().unwrap().to_owned();
    let before = record(&memory);
    assert!(before.starts_with("<!-- scrum:record "), "{before}");
    posted(&memory, run(2, &["WARN 3 the file is never closed"])).await.unwrap();
    assert!(memory.bodies()[0].contains("run-2"));
    assert_eq!(record(&memory), before);
}

#[tokio::test]
async fn of_an_old_commit_only_the_tally_is_said() {
    let memory = Memory::at(LATER);
    let done = posted(&memory, run(1, &["BLOCK 2 the lock is lost"])).await.unwrap();
    assert_eq!((done.moved_to.as_deref(), memory.changes().as_str()), (Some(LATER), "comment"));
    assert!(
        memory.bodies()[0].contains("This is a review of `4ead000`; the pull request is at `1a7e000` now")
    );
}

#[tokio::test]
async fn nothing_is_posted_where_it_does_not_belong() {
    let check = async |memory: &Memory, input: Input, within: &[&str], expect: &str| {
        let error =
            posted_with(memory, input, Rules { inline: Inline::Warn, most: 9 }, within).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), memory.changes().as_str()), (expect, ""));
    };
    let other = "run run-1 is of commit 4ead000, which is not known to be in acme/shop#5, now at 1a7e000";
    check(&Memory::at(LATER), run(1, &[]), &[], other).await;
    // What the target branch has is no part of the pull request.
    check(&Memory::at(LATER), run(1, &[]), &[LATER, BASE], other).await;
    let mut worktree = run(1, &[]);
    worktree.range = RangeInfo { base: Some(BASE.into()), head: None, spec: "work tree".into() };
    check(
        &Memory::new(),
        worktree,
        &[HEAD, LATER],
        "run run-1 is of work tree, which is no commit of a pull request",
    )
    .await;
    let memory = Memory { address: address(6), ..Memory::new() };
    check(&memory, again(&[], "f"), &[HEAD, LATER], "run run-1 is of acme/shop#5, not of acme/shop#6").await;
    for (state, word) in [(PullState::Closed, "closed"), (PullState::Merged, "merged")] {
        let mut memory = Memory::new();
        memory.pull.state = state;
        check(&memory, run(1, &[]), &[HEAD, LATER], &format!("acme/shop#5 is {word}: nothing is posted"))
            .await;
    }
}

#[tokio::test]
async fn ended_anywhere_and_done_again_nothing_is_there_twice() {
    let found =
        ["BLOCK 2 the lock is lost", "WARN 5 the index is off by one", "WARN 9 nobody reads the answer"];
    for requests in 0..9 {
        let memory = Memory::new();
        memory.with(|state| state.failing = Some((requests, refused())));
        let ended = posted(&memory, run(1, &found)).await;
        memory.with(|state| state.failing = None);
        let done = posted(&memory, run(1, &found)).await.unwrap();
        assert_eq!(done.refused, 0, "{requests}: {ended:?}");
        let ids = memory.with(|state| {
            let open = state.threads.iter().filter(|one| !one.is_resolved);
            open.filter_map(|one| issue_of(&one.first))
                .map(str::to_owned)
                .collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!((ids.len(), memory.bodies().len()), (3, 1), "{requests}");
        assert_eq!(memory.with(|state| state.threads.len()), 3, "{requests}");
        assert!(!memory.bodies()[0].contains("could be made"), "{requests}");
    }
}

#[tokio::test]
async fn a_platform_that_takes_no_remarks_still_gets_the_tally() {
    let memory = Memory::new();
    // Pull, comments and threads are read; then remarks fail, and after them everything else works.
    memory.with(|state| {
        state.failing = Some((3, refused()));
        state.meanwhile = Some(("comment", Box::new(|state| state.failing = None)));
    });
    let error = posted(&memory, run(1, &["BLOCK 2 the lock is lost"])).await.unwrap_err();
    assert_eq!(error, PostError::Partly { pull: "acme/shop#5".into(), error: refused() });
    assert!(memory.bodies()[0].contains("> Not all comments at lines could be made"));
}

#[tokio::test]
async fn a_rehearsal_changes_nothing() {
    let memory = Memory::new();
    let tally = tally::tally(run(1, &["BLOCK 2 the lock is lost"]));
    let gate = tally::gate::evaluate(&tally, &Policy::plain(FailOn::Never, 1));
    let rules = Rules { inline: Inline::Block, most: 10 };
    let posting = Posting { tally: &tally, gate: &gate, rules, contains: &|_, _| true };
    let before = rehearse(&memory, &posting).await.unwrap();
    assert_eq!((before.tally, before.remarks.len(), memory.changes().as_str()), (Written::Added, 1, ""));
    post(&memory, &posting).await.unwrap();
    assert_eq!(memory.bodies(), [before.body], "what was shown is what is said");
    let after = rehearse(&memory, &posting).await.unwrap();
    assert_eq!((after.tally, after.remarks.len()), (Written::Unchanged, 0));
}
