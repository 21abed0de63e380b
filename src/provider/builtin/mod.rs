//! The offline reviewers: `rules` looks for patterns, `history` asks the repository's past.
//!
//! [`answer_by_rules`] needs the bundle and what the change removes, [`Hindsight`] the whole change. Both write the same text form as a model,
//! so their replies are read, anchored and tallied like any other. They touch nothing outside: the facts about the past come in as a
//! [`History`], rule files as text.

mod companions;
mod history;
mod lockfile;
mod rules;
mod scan;
mod shown;

pub use rules::{RuleError, RuleSet};
pub use scan::RemovedLines;

use super::remark::{self, Remark};

use crate::{
    bundle::{Bundle, Split},
    change::Commit,
    history::History,
};

/// What `rules` has to say about `bundle`, which is part of a change that removes `removed`: deterministic, ended by
/// `END nonce` unless `nonce` is empty.
pub fn answer_by_rules(rules: &RuleSet, removed: &RemovedLines, bundle: &Bundle, nonce: &str) -> String {
    remark::write(scan::scan(rules, bundle, removed), &rules_scope(rules, bundle), nonce)
}

/// What `history` has to say about one whole change, and what it rests on.
#[derive(Debug)]
pub struct Hindsight {
    remarks: Vec<Remark>,
    commits: usize,
}

impl Hindsight {
    /// Looks at the change of `split`; `commits` are the change's own, `history` those before it.
    pub fn new(rules: &RuleSet, history: &History, split: &Split, commits: &[Commit]) -> Self {
        let remarks = history::remarks(history, split, commits, rules);
        Self { remarks, commits: history.commits.len() }
    }

    /// What there is to say about `bundle`: deterministic, ended by `END nonce` unless `nonce` is empty.
    ///
    /// A remark about the whole change stands in the reply for the one bundle that holds its line.
    pub fn answer(&self, bundle: &Bundle, nonce: &str) -> String {
        let remarks = self.remarks.iter().filter(|remark| remark.stands_in(bundle)).cloned().collect();
        remark::write(remarks, &format!("{} earlier commits were read", self.commits), nonce)
    }
}

fn rules_scope(rules: &RuleSet, bundle: &Bundle) -> String {
    let added: usize = bundle.files.iter().map(|file| file.counts().0).sum();
    let lines = if added == 1 { "1 added line was".to_owned() } else { format!("{added} added lines were") };
    format!("{lines} held against {} patterns", rules.len())
}

#[cfg(test)]
pub(super) mod tests;
