//! What a pull request's conversation says to scrum: [`hear`] gathers decisions of people who may make them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    disposition::Disposition,
    finding::Severity,
    forge::Forge,
    post::{
        ISSUE_MARK, TALLY_MARK, issue_of,
        order::{Order, orders},
        record::is_issue,
    },
    pull::{Comment, Thread},
    report::words,
    tally::since::Last,
};

/// So many people are asked about; whoever comes after them is not heard.
const MOST_PEOPLE: usize = 50;
/// So many refusals are told.
const MOST_NOTES: usize = 5;

/// What people decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heard {
    /// In order of time, those of the conversation first.
    pub decisions: Vec<Disposition>,
    /// What does not count, and why, for people.
    pub notes: Vec<String>,
}

/// Reads the decisions in `comments` and `threads`. What our account wrote never counts, nor does what somebody wrote who may not push. Issues are
/// those of the `last` review: what people have seen.
pub async fn hear(
    forge: &impl Forge,
    comments: &[Comment],
    threads: &[Thread],
    last: Option<&Last>,
) -> Heard {
    let mut hearing = Hearing { forge, last, may_decide: BTreeMap::new(), heard: Heard::default() };
    for comment in comments {
        hearing.read(comment, &BTreeSet::new()).await;
    }
    let topics = topics(threads);
    let mut is_read = BTreeSet::new();
    for comment in threads.iter().flat_map(said).filter(|comment| is_read.insert(comment.id.as_str())) {
        hearing.read(comment, &topics[comment.id.as_str()]).await;
    }
    let Heard { decisions, mut notes } = hearing.heard;
    if notes.len() > MOST_NOTES {
        let more = notes.split_off(MOST_NOTES).len();
        notes.push(format!("{} more in the conversation do not count", words::count(more, "decision")));
    }
    Heard { decisions, notes }
}

/// The issues that each comment at a line may be about, by its id: some platforms cannot tell which of several it answers.
fn topics(threads: &[Thread]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut topics: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for thread in threads {
        let topic = issue_of(&thread.first).filter(|id| is_issue(id));
        for comment in said(thread) {
            topics.entry(&comment.id).or_default().extend(topic);
        }
    }
    topics
}

fn said(thread: &Thread) -> impl Iterator<Item = &Comment> {
    std::iter::once(&thread.first).chain(&thread.answers)
}

/// What a decision is made about.
struct Known<'a> {
    path: &'a str,
    severity: Severity,
    what: &'a str,
}

struct Hearing<'a, F> {
    forge: &'a F,
    last: Option<&'a Last>,
    /// By login; why not where that is said.
    may_decide: BTreeMap<String, Result<(), String>>,
    heard: Heard,
}

impl<F: Forge> Hearing<'_, F> {
    async fn read(&mut self, comment: &Comment, topics: &BTreeSet<&str>) {
        let is_marked = [TALLY_MARK, ISSUE_MARK].iter().any(|mark| comment.body.starts_with(mark));
        if comment.is_ours && is_marked {
            return;
        }
        for order in orders(&comment.body, !topics.is_empty()) {
            match self.decision(&order, comment, topics).await {
                Ok(decision) => self.heard.decisions.push(decision),
                Err(reason) => {
                    let name = named(&order, topics).unwrap_or("here");
                    let note =
                        format!("{} {name} by {} does not count: {reason}", order.decision, comment.author);
                    self.heard.notes.push(note);
                }
            }
        }
    }

    async fn decision(
        &mut self,
        order: &Order,
        comment: &Comment,
        topics: &BTreeSet<&str>,
    ) -> Result<Disposition, String> {
        if comment.is_ours {
            return Err("it is written by the token's own account".to_owned());
        }
        self.check(&comment.author).await?;
        let name = named(order, topics).ok_or("several issues stand at that line: name one")?;
        let (issue, known) = self.issue(name)?;
        Ok(Disposition {
            at: comment.at,
            issue,
            decision: order.decision,
            why: order.why.clone(),
            by: format!("{}@{}", comment.author, server(&self.forge.address().api)),
            run: self.last.map(|last| last.run.clone()).unwrap_or_default(),
            path: known.as_ref().map(|issue| issue.path.to_owned()).unwrap_or_default(),
            severity: known.as_ref().map_or(Severity::Info, |issue| issue.severity),
            what: known.map(|issue| issue.what.to_owned()).unwrap_or_default(),
            found_by: Vec::new(),
        })
    }

    /// The issue that `name` begins, or a whole id of one that the record had no room for.
    fn issue(&self, name: &str) -> Result<(String, Option<Known<'_>>), String> {
        let mut known = self.known();
        if let Some(exact) = known.remove(name) {
            return Ok((name.to_owned(), Some(exact)));
        }
        if is_issue(name) {
            return Ok((name.to_owned(), None));
        }
        let mut fitting = known.into_iter().filter(|(id, _)| id.starts_with(name));
        match (fitting.next(), fitting.next()) {
            (Some((id, only)), None) => Ok((id.to_owned(), Some(only))),
            (Some(_), Some(_)) => Err("several issues begin so".to_owned()),
            (None, _) => Err("no issue of the last review begins so".to_owned()),
        }
    }

    /// The issues of the last review by id, and those that one of them says in other words.
    fn known(&self) -> BTreeMap<&str, Known<'_>> {
        let issues = self.last.map(|last| last.issues.as_slice()).unwrap_or_default();
        let decided = issues.iter().filter_map(|issue| issue.disposition.as_ref());
        let decided = decided.map(|one| {
            (one.issue.as_str(), Known { path: &one.path, severity: one.severity, what: &one.what })
        });
        let own = issues
            .iter()
            .map(|one| (one.id.as_str(), Known { path: &one.path, severity: one.severity, what: &one.what }));
        decided.chain(own).collect()
    }

    async fn check(&mut self, login: &str) -> Result<(), String> {
        if let Some(known) = self.may_decide.get(login) {
            return known.clone();
        }
        if self.may_decide.len() >= MOST_PEOPLE {
            return Err("too many people have decided something".to_owned());
        }
        let answer = match self.forge.may_write(login).await {
            Ok(true) => Ok(()),
            Ok(false) => Err("whoever decides must be allowed to push".to_owned()),
            Err(error) => Err(format!("whether they may push cannot be told: {error}")),
        };
        self.may_decide.insert(login.to_owned(), answer.clone());
        answer
    }
}

/// What `order` calls its issue, or the one that it can only be about.
fn named<'a>(order: &'a Order, topics: &BTreeSet<&'a str>) -> Option<&'a str> {
    let only = topics.first().filter(|_| topics.len() == 1);
    order.issue.as_deref().or(only.copied())
}

/// `github.com` of `https://api.github.com`.
fn server(api: &str) -> &str {
    let host = api.split("://").nth(1).unwrap_or(api);
    let host = host.split('/').next().unwrap_or(host);
    host.strip_prefix("api.").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::posting::tests::{Memory, said};

    fn thread(issue: &str, answers: &[&Comment]) -> Thread {
        Thread {
            id: issue.to_owned(),
            first: said(1, "us", &format!("{ISSUE_MARK}{issue} -->\n/scrum dismiss")),
            answers: answers.iter().map(|one| (*one).clone()).collect(),
            is_outdated: false,
            is_resolved: false,
        }
    }

    async fn check(comments: &[Comment], threads: &[Thread], decided: &[&str], notes: &[&str]) {
        let heard = hear(&Memory::new(), comments, threads, None).await;
        assert_eq!(heard.decisions.iter().map(|one| one.issue.as_str()).collect::<Vec<_>>(), decided);
        assert_eq!(heard.notes, notes);
    }

    #[tokio::test]
    async fn what_our_account_says_is_told_and_does_not_count() {
        let own = said(1, "us", "/scrum dismiss 3fa9c1d2e4b5 why");
        let note = "wontfix 3fa9c1d2e4b5 by us does not count: it is written by the token's own account";
        check(&[own], &[], &[], &[note]).await;
        let tally = said(1, "us", &format!("{TALLY_MARK}\n/scrum dismiss 3fa9c1d2e4b5 why"));
        check(&[tally], &[], &[], &[]).await;
    }

    #[tokio::test]
    async fn an_answer_to_several_issues_must_name_one() {
        let (one, two) = ("3fa9c1d2e4b5", "4fa9c1d2e4b5");
        let plain = said(7, "ada", "/scrum dismiss only in tests");
        check(&[], &[thread(one, &[&plain])], &[one], &[]).await;
        let note = "wontfix here by ada does not count: several issues stand at that line: name one";
        check(&[], &[thread(one, &[&plain]), thread(two, &[&plain])], &[], &[note]).await;
        let naming = said(8, "ada", "/scrum dismiss 4fa9c1d2e4b5 only in tests");
        check(&[], &[thread(one, &[&naming]), thread(two, &[&naming])], &[two], &[]).await;
    }
}
