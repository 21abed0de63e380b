//! The offline reviewers: `rules` looks for patterns, `history` asks the repository's past.
//!
//! [`Builtins`] answers for one run. Both write the same text form as a model, so their replies are read, anchored
//! and tallied like any other. They touch nothing outside: the facts about the past come in as a
//! [`History`](crate::history::History), rule files as text.

mod answer;
mod companions;
mod history;
mod lexer;
mod lockfile;
mod rules;
mod scan;
mod shown;
mod source;

pub use rules::{RuleError, RuleSet};

use std::collections::HashSet;

use answer::Remark;

use crate::{
    bundle::{Bundle, Split},
    change::{Commit, Hunk},
    history::History,
    reviewer::Builtin,
};

/// The offline reviewers, ready to answer for each bundle of one run.
#[derive(Debug)]
pub struct Builtins {
    rules: RuleSet,
    removed: HashSet<Vec<u8>>,
    past: Past,
}

/// What `history` has to say about the whole change, and what it rests on.
#[derive(Debug)]
struct Past {
    remarks: Vec<Remark>,
    commits: usize,
}

impl Builtins {
    /// Makes ready for the run over `split`; `commits` are the change's own, `history` those before it.
    pub fn new(rules: RuleSet, history: &History, split: &Split, commits: &[Commit]) -> Self {
        let remarks = history::remarks(history, split, commits, &rules);
        Self {
            rules,
            removed: scan::removed_lines(&split.bundles),
            past: Past { remarks, commits: history.commits.len() },
        }
    }

    /// The reply of `which` about `bundle`: deterministic, ended by `END nonce` unless `nonce` is empty.
    ///
    /// A remark about the whole change stands in the reply for the one bundle that holds its line.
    pub fn answer(&self, which: Builtin, bundle: &Bundle, nonce: &str) -> String {
        let (remarks, scope) = match which {
            Builtin::Rules => {
                (scan::scan(&self.rules, bundle, &self.removed), rules_scope(&self.rules, bundle))
            }
            Builtin::History => {
                (self.past_of(bundle), format!("{} earlier commits were read", self.past.commits))
            }
        };
        answer::write(remarks, &scope, nonce)
    }

    fn past_of(&self, bundle: &Bundle) -> Vec<Remark> {
        self.past.remarks.iter().filter(|remark| holds(bundle, remark)).cloned().collect()
    }
}

fn rules_scope(rules: &RuleSet, bundle: &Bundle) -> String {
    let added: usize = bundle.files.iter().map(|file| file.counts().0).sum();
    let lines = if added == 1 { "1 added line was".to_owned() } else { format!("{added} added lines were") };
    format!("{lines} held against {} patterns", rules.len())
}

fn holds(bundle: &Bundle, remark: &Remark) -> bool {
    let files = bundle.files.iter().filter(|file| file.path == remark.path);
    files.flat_map(|file| &file.hunks).flat_map(Hunk::lines).any(|line| line.new == Some(remark.line))
}

#[cfg(test)]
mod tests;
