//! What a pull request's conversation says to scrum: [`hear`] gathers decisions of people who may make them.

use std::collections::BTreeMap;

use crate::{
    disposition::Disposition,
    finding::Severity,
    forge::Forge,
    post::{
        issue_of,
        order::{Order, orders},
        record::is_issue,
    },
    pull::{Comment, Thread},
    report::words,
    tally::since::{Earlier, Last},
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

/// Reads the decisions in `comments` and `threads`. What we wrote never counts, nor does what somebody wrote who may not push. Issues are
/// those of the `last` review: what people have seen.
pub async fn hear(
    forge: &impl Forge,
    comments: &[Comment],
    threads: &[Thread],
    last: Option<&Last>,
) -> Heard {
    let mut hearing = Hearing { forge, last, may_decide: BTreeMap::new(), heard: Heard::default() };
    for comment in comments {
        hearing.read(comment, None).await;
    }
    for thread in threads {
        let topic = issue_of(&thread.first).filter(|id| is_issue(id));
        for comment in std::iter::once(&thread.first).chain(&thread.answers) {
            hearing.read(comment, topic).await;
        }
    }
    let Heard { decisions, mut notes } = hearing.heard;
    if notes.len() > MOST_NOTES {
        let more = notes.split_off(MOST_NOTES).len();
        notes.push(format!("{} more in the conversation do not count", words::count(more, "decision")));
    }
    Heard { decisions, notes }
}

struct Hearing<'a, F> {
    forge: &'a F,
    last: Option<&'a Last>,
    /// By login; why not where that is said.
    may_decide: BTreeMap<String, Result<(), String>>,
    heard: Heard,
}

impl<F: Forge> Hearing<'_, F> {
    async fn read(&mut self, comment: &Comment, topic: Option<&str>) {
        if comment.is_ours {
            return;
        }
        for order in orders(&comment.body, topic.is_some()) {
            match self.decision(&order, comment, topic).await {
                Ok(decision) => self.heard.decisions.push(decision),
                Err(reason) => {
                    let name = order.issue.as_deref().or(topic).unwrap_or_default();
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
        topic: Option<&str>,
    ) -> Result<Disposition, String> {
        self.check(&comment.author).await?;
        let name = order.issue.as_deref().or(topic).unwrap_or_default();
        let (issue, known) = self.issue(name)?;
        Ok(Disposition {
            at: comment.at,
            issue,
            decision: order.decision,
            why: order.why.clone(),
            by: format!("{}@{}", comment.author, server(&self.forge.address().api)),
            run: self.last.map(|last| last.run.clone()).unwrap_or_default(),
            path: known.map(|issue| issue.path.clone()).unwrap_or_default(),
            severity: known.map_or(Severity::Info, |issue| issue.severity),
            what: known.map(|issue| issue.what.clone()).unwrap_or_default(),
            found_by: Vec::new(),
        })
    }

    /// The issue that `name` begins, or a whole id of one that the record had no room for.
    fn issue(&self, name: &str) -> Result<(String, Option<&Earlier>), String> {
        let issues = self.last.map(|last| last.issues.as_slice()).unwrap_or_default();
        if let Some(exact) = issues.iter().find(|issue| issue.id == name) {
            return Ok((name.to_owned(), Some(exact)));
        }
        if is_issue(name) {
            return Ok((name.to_owned(), None));
        }
        let mut fitting = issues.iter().filter(|issue| issue.id.starts_with(name));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok((only.id.clone(), Some(only))),
            (Some(_), Some(_)) => Err("several issues begin so".to_owned()),
            (None, _) => Err("no issue of the last review begins so".to_owned()),
        }
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

/// `github.com` of `https://api.github.com`.
fn server(api: &str) -> &str {
    let host = api.split("://").nth(1).unwrap_or(api);
    let host = host.split('/').next().unwrap_or(host);
    host.strip_prefix("api.").unwrap_or(host)
}
