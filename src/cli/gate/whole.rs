//! Whether a run is of all that changed between its commits: [`gaps`] says what it does not hold, by what git knows.
//!
//! The run's own files are no witness: whoever shortens its manifest can make all of them fit.

use crate::{
    bundle::{
        self,
        whole::{Unshown, unshown},
    },
    change::RepoPath,
    cli::{ChangeArgs, error::CliError, ui::Ui, workspace::Workspace},
    report::words,
    tally::{
        Input,
        since::{Scope, Since, short},
    },
};

/// Most paths that are named.
const MOST_NAMED: usize = 3;

/// What of the change of `run` nobody was shown and configuration does not leave out, in words; also that this cannot be told.
pub(super) fn gaps(workspace: &Workspace, run: &Input, ui: Ui) -> Result<Vec<String>, CliError> {
    let elsewhere: Vec<String> = run.since.iter().filter_map(|since| elsewhere(since, run)).collect();
    let Some(change) = workspace.change_again(&run.range) else {
        return Ok([elsewhere, vec![unreadable(workspace, run)]].concat());
    };
    let rules = workspace.split_rules(&ChangeArgs::default(), &change, ui)?;
    let whole = bundle::split(change, &rules)?;
    let Unshown { left_out, missing } = unshown(&whole, &run.bundles, &run.excluded);
    let left_out = told(&left_out, "left out by the flags of the review");
    let missing = told(&missing, "not in the run as git has it");
    Ok([elsewhere, left_out, missing].concat())
}

/// A review of a pull request is of all of it, or of what came after the last one, which it names.
fn elsewhere(since: &Since, run: &Input) -> Option<String> {
    let start = match (&since.scope, &since.last) {
        (Scope::Incremental, Some(last)) => &last.head,
        (Scope::Incremental, None) | (Scope::First | Scope::Full(_), _) => &since.pull.base,
    };
    let (base, head) = (run.range.base.as_deref(), run.range.head.as_deref());
    if (base, head) == (Some(start.as_str()), Some(since.pull.head.as_str())) {
        return None;
    }
    let commit = |id: Option<&str>| id.map_or_else(|| "nothing".to_owned(), |id| short(id).to_owned());
    Some(format!(
        "it is of {}..{} and should be of {}..{}",
        commit(base),
        commit(head),
        short(start),
        short(&since.pull.head)
    ))
}

/// Why nobody can say what changed, and what to do about it.
fn unreadable(workspace: &Workspace, run: &Input) -> String {
    let ids = [&run.range.base, &run.range.head].into_iter().flatten();
    let is_here = |id: &str| workspace.repo.as_ref().is_some_and(|repo| repo.has_commit(id));
    let gone: Vec<&str> = ids.filter(|id| !is_here(id)).map(|id| short(id)).collect();
    let what = match gone.as_slice() {
        [] => "its change cannot be read again".to_owned(),
        gone => format!("{} is not in this clone", gone.join(" and ")),
    };
    format!(
        "{what}, so nobody can say whether the run holds all that changed: fetch the history (in CI `fetch-depth: 0`)"
    )
}

/// `2 files left out by the flags of the review: a.rs and b.rs`.
fn told(paths: &[RepoPath], what: &str) -> Vec<String> {
    if paths.is_empty() {
        return Vec::new();
    }
    let named: Vec<String> = paths.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    let more = match paths.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    vec![format!("{} {what}: {}{more}", words::count(paths.len(), "file"), named.join(", "))]
}
