//! What can be wrong with a configuration, in words that name file, line and key: [`ConfigError`], [`PanelError`].

use std::path::{Path, PathBuf};

use super::{
    panel::Obstacle,
    place::{Entry, line_at, line_of},
    preset,
    wording::{Wording, worded},
};
use crate::reviewer::BadReviewerId;

/// Tables that there is one of.
const SINGLE: [&str; 12] = [
    "review", "gate", "tally", "bundle", "prompt", "guidance", "rules", "paths", "cache", "forge", "post",
    "panel",
];

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that is named but cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is named, and that the change under review brings.
    #[error("{} comes with the change under review", path.display())]
    Tampered {
        /// The file.
        path: PathBuf,
    },
    /// Not TOML, an unknown key, a value of the wrong kind.
    #[error("{}:{line}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: usize,
        /// What is wrong.
        reason: String,
        /// The nearest key that exists.
        suggestion: Option<String>,
        /// What to write instead.
        advice: Option<String>,
    },
    /// What is wrong with an entry, with where that stands.
    #[error("{}:{line}: {source}", path.display())]
    At {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: usize,
        /// What is wrong.
        source: Box<ConfigError>,
    },
    /// Globs that cannot be read, or none where they are needed.
    #[error("{entry}: {reason}")]
    Entry {
        /// Where.
        entry: Entry,
        /// What is wrong.
        reason: String,
    },
    /// A panel, or a reviewer of one, that is not there.
    #[error("{entry}: no {what} named {name:?}")]
    Unknown {
        /// Where it is named.
        entry: Entry,
        /// `panel` or `reviewer`.
        what: &'static str,
        /// As configured.
        name: String,
        /// The nearest that there is.
        suggestion: Option<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// A number outside its range.
    #[error("{key} is {value}, it must be from {least} to {most}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// What it is.
        value: u64,
        /// Least allowed.
        least: u64,
        /// Most allowed.
        most: u64,
    },
    /// A reviewer entry that is not complete or contradicts itself.
    #[error("reviewer {id:?}: {reason}")]
    Reviewer {
        /// Its id.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// An entry of guidance that says nothing, or twice.
    #[error("guidance.rule {number}: needs `text` or `file`, one of them")]
    GuidanceRule {
        /// 1-based.
        number: usize,
    },
    /// `preset` names none.
    #[error("reviewer {id:?}: no preset named {name:?}")]
    NoSuchPreset {
        /// Id of the reviewer.
        id: String,
        /// As configured.
        name: String,
        /// The nearest that there is.
        suggestion: Option<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// `fallback` names somebody who cannot stand in.
    #[error("reviewer {id:?}: fallback {stand_in:?}: {reason}")]
    Fallback {
        /// Id of the reviewer.
        id: String,
        /// As configured.
        stand_in: String,
        /// What is wrong.
        reason: String,
        /// Who was meant, perhaps.
        suggestion: Option<String>,
        /// Who could stand in.
        able: Vec<String>,
    },
    /// `[review] max_cost_usd` is no amount.
    #[error("review.max_cost_usd is {usd}, it must be 0 or more US dollars")]
    BadCost {
        /// As configured.
        usd: f64,
    },
    /// `[tally] adjudicator` names a reviewer that is not configured.
    #[error("tally.adjudicator: no reviewer named {id:?}")]
    NoSuchAdjudicator {
        /// As configured.
        id: String,
        /// The nearest that there is.
        suggestion: Option<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// A `[[price]]` without a model.
    #[error("price.models is empty: a price is that of some model")]
    PriceOfNothing,
    /// A `[[price]]` that is none.
    #[error("price of {model:?}: must be 0 or more US dollars per million tokens")]
    Price {
        /// The first model it is for.
        model: String,
    },
    /// A `[[route]]` that chooses nothing, or never.
    #[error("route {number}: {reason}")]
    Route {
        /// 1 for the first.
        number: usize,
        /// What is wrong.
        reason: String,
        /// The nearest panel that there is, where it names one that there is not.
        suggestion: Option<String>,
    },
    /// A reviewer id that cannot be part of a file name.
    #[error(transparent)]
    ReviewerId(#[from] BadReviewerId),
}

/// A panel that cannot run.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// `--panel` names none.
    #[error("no panel named {name:?}")]
    NoSuchPanel {
        /// As asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// `-r` or a panel names a reviewer that is not configured.
    #[error("no reviewer named {id:?}")]
    NoSuchReviewer {
        /// As asked for.
        id: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Too few reviewers can be asked.
    #[error("{}", unusable_words(unusable))]
    Unusable {
        /// Reviewer and why not.
        unusable: Vec<(String, Obstacle)>,
    },
}

fn unusable_words(unusable: &[(String, Obstacle)]) -> String {
    let each: Vec<_> =
        unusable.iter().map(|(id, obstacle)| format!("reviewer {id} cannot be asked: {obstacle}")).collect();
    each.join("; ")
}

/// Words for a TOML error: its line, and for an unknown key the nearest known one.
pub(super) fn invalid(path: &Path, text: &str, source: &toml::de::Error) -> ConfigError {
    let at = source.span().map_or(0, |span| span.start).min(text.len());
    let Wording { reason, advice } = worded(source.message(), text, at);
    let nearest = || nearest_key(&source.message().replace('\n', " "));
    let suggestion = if advice.is_none() { nearest() } else { None };
    ConfigError::Invalid { path: path.to_owned(), line: line_at(text, at), reason, suggestion, advice }
}

/// Says of a `[[table]]` that there is only one of it. The TOML reader would take what stands in it for the first of its keys.
pub(super) fn doubled(path: &Path, text: &str) -> Result<(), ConfigError> {
    let Ok(table) = text.parse::<toml::Table>() else { return Ok(()) };
    let is_list = |name: &&&str| table.get(**name).is_some_and(toml::Value::is_array);
    let Some(name) = SINGLE.iter().find(is_list) else { return Ok(()) };
    Err(ConfigError::Invalid {
        path: path.to_owned(),
        line: line_of(&Entry::Key(name), text).unwrap_or(1),
        reason: format!("{name} is a list, it must be a table"),
        suggestion: None,
        advice: Some(format!("write `[{name}]`, with one bracket on each side: there is one of it")),
    })
}

impl ConfigError {
    /// The same error with the place it speaks of, which the last of `files` that has it decides.
    pub(super) fn located(self, files: &[(PathBuf, String)]) -> Self {
        let Some(entry) = self.entry() else { return self };
        let place = |(path, text): &(PathBuf, String)| Some((path.clone(), line_of(&entry, text)?));
        match files.iter().rev().find_map(place) {
            Some((path, line)) => Self::At { path, line, source: Box::new(self) },
            None => self,
        }
    }

    /// What it is about, where it does not name a file itself.
    fn entry(&self) -> Option<Entry> {
        match self {
            Self::Entry { entry, .. } | Self::Unknown { entry, .. } => Some(entry.clone()),
            Self::OutOfRange { key, .. } => Some(Entry::Key(key)),
            Self::BadCost { .. } => Some(Entry::Key("review.max_cost_usd")),
            Self::NoSuchAdjudicator { .. } => Some(Entry::Key("tally.adjudicator")),
            Self::Reviewer { id, .. } | Self::NoSuchPreset { id, .. } | Self::Fallback { id, .. } => {
                Some(Entry::Reviewer(id.clone()))
            }
            Self::ReviewerId(BadReviewerId(id)) => Some(Entry::Reviewer(id.clone())),
            Self::GuidanceRule { number } => Some(Entry::Numbered("guidance.rule", *number)),
            Self::Route { number, .. } => Some(Entry::Numbered("route", *number)),
            Self::PriceOfNothing => Some(Entry::Price(String::new())),
            Self::Price { model } => Some(Entry::Price(model.clone())),
            Self::Unreadable { .. } | Self::Tampered { .. } | Self::Invalid { .. } | Self::At { .. } => None,
        }
    }
}

/// serde words an unknown key as ``unknown field `x`, expected one of `a`, `b` ``: the first quoted word is the
/// key, the others are the candidates. A provider that is the name of a preset is meant as one.
fn nearest_key(reason: &str) -> Option<String> {
    if !reason.starts_with("unknown ") {
        return None;
    }
    let mut quoted = reason.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?.to_lowercase();
    if reason.starts_with("unknown variant") && preset::named(&unknown).is_some() {
        return Some(format!("preset = \"{unknown}\""));
    }
    nearest(&unknown, quoted).map(str::to_owned)
}

/// The candidate most like `word`, if any is alike at all.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
