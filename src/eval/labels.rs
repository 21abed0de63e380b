//! What people know about a change: [`Labels`], the true issues in it and the judgements on findings.
//!
//! Values only: `store` reads them from files, `truth` holds findings against them. The format's page is `docs/design/evaluation.md`.

use crate::{
    anchor::Anchored,
    finding::{Anchor, Finding, LineRange, Severity},
    reviewer::{Lineage, ReviewerId},
    tally::Member,
};

/// The labels of one case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// All true issues of the change, when somebody wrote them down; a finding that is none of them is wrong then.
    pub issues: Option<Vec<TrueIssue>>,
    /// Findings that somebody judged.
    pub findings: Vec<Label>,
}

/// One true issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrueIssue {
    /// Unique in its case.
    pub id: String,
    /// Repository path, when it has a place.
    pub path: Option<String>,
    /// Lines on the new side; `None` means anywhere in the file.
    pub lines: Option<LineRange>,
    /// The issue in words.
    pub text: String,
}

/// The judgement on one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Whose finding.
    pub reviewer: ReviewerId,
    /// Repository path.
    pub path: String,
    /// Lines on the new side.
    pub lines: Option<LineRange>,
    /// The finding in words, to tell two at one place apart.
    pub text: Option<String>,
    /// What was judged.
    pub ruling: Ruling,
}

/// What somebody judged a finding to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// True; which issue it is was not said.
    Valid,
    /// Not true.
    Invalid,
    /// It is these true issues, at least one.
    Matches(Vec<String>),
}

impl TrueIssue {
    /// The issue as a finding, to be compared with those of reviewers.
    pub(super) fn as_member(&self) -> Member {
        let nobody = ReviewerId::new("label").expect("a plain word");
        member(nobody, self.path.clone(), self.lines, &self.text)
    }
}

impl Label {
    /// The finding in the label's words, if it has any.
    pub(super) fn as_member(&self) -> Option<Member> {
        let text = self.text.as_deref()?;
        Some(member(self.reviewer.clone(), Some(self.path.clone()), self.lines, text))
    }
}

fn member(reviewer: ReviewerId, path: Option<String>, lines: Option<LineRange>, text: &str) -> Member {
    let finding = Finding {
        severity: Severity::Info,
        severity_word: String::new(),
        where_text: String::new(),
        location: None,
        also_at: Vec::new(),
        quote: None,
        what: text.to_owned(),
        why: String::new(),
        fix: String::new(),
        retracted: false,
    };
    Member {
        reviewer,
        lineage: Lineage::unknown(),
        bundle: String::new(),
        anchored: Anchored {
            finding,
            path,
            lines,
            also: Vec::new(),
            symbol: None,
            anchor: Anchor::Unchecked,
            note: None,
            code: None,
        },
    }
}
