//! Who stands in for whom: [`check`] refuses what would change the meaning of convergence, [`Config::stand_ins`] gives the order.

use super::{Config, ConfigError, error::nearest};
use crate::reviewer::Reviewer;

/// Every stand-in must be another reviewer of the same lineage, and nobody may stand in for itself through others.
pub(super) fn check(reviewers: &[Reviewer]) -> Result<(), ConfigError> {
    for reviewer in reviewers {
        for id in &reviewer.fallback {
            let wrong = |reason: String| refused(reviewer, id.as_str(), reason, reviewers);
            let Some(stand_in) = reviewers.iter().find(|other| other.id == *id) else {
                return Err(wrong("there is no such reviewer".to_owned()));
            };
            if stand_in.id == reviewer.id {
                return Err(wrong("a reviewer cannot stand in for itself".to_owned()));
            }
            if stand_in.lineage != reviewer.lineage {
                let (theirs, own) = (&stand_in.lineage, &reviewer.lineage);
                return Err(wrong(format!(
                    "it is of lineage {theirs}, not {own}: agreement would mean something else"
                )));
            }
            if stand_ins(stand_in, reviewers).iter().any(|further| further.id == reviewer.id) {
                return Err(wrong("it falls back on this reviewer in turn".to_owned()));
            }
        }
    }
    Ok(())
}

/// With the reviewer that was meant, or those that could be.
fn refused(reviewer: &Reviewer, stand_in: &str, reason: String, all: &[Reviewer]) -> ConfigError {
    let is_able = |other: &&Reviewer| other.id != reviewer.id && other.lineage == reviewer.lineage;
    let able: Vec<String> = all.iter().filter(is_able).map(|other| other.id.to_string()).collect();
    let suggestion = nearest(stand_in, able.iter().map(String::as_str)).map(str::to_owned);
    ConfigError::Fallback {
        id: reviewer.id.to_string(),
        stand_in: stand_in.to_owned(),
        reason,
        suggestion,
        able,
    }
}

/// Who is asked in the place of `reviewer`, best first: those it names, each followed by those it names itself.
fn stand_ins<'a>(reviewer: &Reviewer, all: &'a [Reviewer]) -> Vec<&'a Reviewer> {
    let mut found: Vec<&Reviewer> = Vec::new();
    let mut open: Vec<_> = reviewer.fallback.iter().rev().collect();
    while let Some(id) = open.pop() {
        let next = all.iter().find(|other| other.id == *id);
        if let Some(next) = next.filter(|next| !found.iter().any(|known| known.id == next.id)) {
            found.push(next);
            open.extend(next.fallback.iter().rev());
        }
    }
    found
}

impl Config {
    /// Who is asked in the place of `reviewer` when it is out of order, best first.
    pub fn stand_ins(&self, reviewer: &Reviewer) -> Vec<&Reviewer> {
        stand_ins(reviewer, &self.reviewers)
    }

    /// Whether another reviewer names this one as its stand-in.
    pub(super) fn is_stand_in(&self, reviewer: &Reviewer) -> bool {
        self.reviewers.iter().any(|other| other.fallback.contains(&reviewer.id))
    }
}
