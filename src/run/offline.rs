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
        AnswerBuiltin, Question,
        builtin::{self, Hindsight, RemovedLines, RuleSet},
    },
    reviewer::Builtin,
};

/// Where the past is read from: the repository, and the change it is read for.
pub struct Past {
    /// The repository's own folder.
    pub git_dir: PathBuf,
    /// The change, all of its files.
    pub change: Change,
}

/// Answers for a panel without offline reviewers, which costs nothing to make ready.
pub fn nobody() -> AnswerBuiltin {
    Arc::new(|_, _| Err("no offline reviewer is on the panel".to_owned()))
}

/// Answers for the offline reviewers about the bundles of `split`. Without a past `history` knows nothing and says so.
pub fn answerer(rules: RuleSet, past: Option<Past>, split: Arc<Split>) -> AnswerBuiltin {
    let (hindsight, removed) = (OnceLock::new(), OnceLock::new());
    Arc::new(move |which, Question { bundle, nonce, .. }| match which {
        Builtin::Rules => {
            let removed = removed.get_or_init(|| RemovedLines::of(&split.bundles));
            Ok(builtin::answer_by_rules(&rules, removed, bundle, nonce))
        }
        Builtin::History => {
            let hindsight = hindsight.get_or_init(|| look_back(&rules, past.as_ref(), &split));
            Ok(hindsight.as_ref().map_err(String::clone)?.answer(bundle, nonce))
        }
    })
}

fn look_back(rules: &RuleSet, past: Option<&Past>, split: &Split) -> Result<Hindsight, String> {
    let commits = past.map(|past| past.change.commits.as_slice()).unwrap_or_default();
    let history = past.map_or_else(|| Ok(History::default()), read)?;
    Ok(Hindsight::new(rules, &history, split, commits))
}

fn read(past: &Past) -> Result<History, String> {
    let repo = Repo::discover(&past.git_dir).map_err(|error| error.to_string())?;
    repo.history(&past.change).map_err(|error| error.to_string())
}
