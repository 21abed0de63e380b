//! What answers for the offline reviewers of a run: [`answerer`].
//!
//! The repository's past is read when `history` is first asked, so that no other reviewer waits for it.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use crate::{
    bundle::Split,
    change::Change,
    git::Repo,
    history::History,
    provider::{
        AnswerBuiltin,
        builtin::{Builtins, RuleSet},
    },
};

/// Where the past is read from: the repository, and the change it is read for.
pub struct Past {
    /// The repository's own folder.
    pub git_dir: PathBuf,
    /// The change, all of its files.
    pub change: Change,
}

/// Answers for the offline reviewers about the bundles of `split`. Without a past `history` knows nothing and says so.
pub fn answerer(rules: RuleSet, past: Option<Past>, split: Arc<Split>) -> AnswerBuiltin {
    let made = OnceLock::new();
    let material = std::sync::Mutex::new(Some((rules, past)));
    let make = move || {
        let taken = material.lock().ok().and_then(|mut material| material.take());
        let (rules, past) = taken.ok_or("the offline reviewers failed to start")?;
        let commits = past.as_ref().map(|past| past.change.commits.clone()).unwrap_or_default();
        let history = past.as_ref().map_or_else(|| Ok(History::default()), read)?;
        Ok::<_, String>(Builtins::new(rules, &history, &split, &commits))
    };
    Arc::new(move |which, question| {
        let builtins = made.get_or_init(&make).as_ref().map_err(String::clone)?;
        Ok(builtins.answer(which, &question.bundle, &question.nonce))
    })
}

fn read(past: &Past) -> Result<History, String> {
    let repo = Repo::discover(&past.git_dir).map_err(|error| error.to_string())?;
    repo.history(&past.change).map_err(|error| error.to_string())
}
