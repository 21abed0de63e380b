//! Which commits the gate is asked about, and the run that is of them: [`Wanted`], [`find`].
//!
//! A run of other commits is refused, so that no review lets a later or a wider change through.

use super::GateCommand;
use crate::{
    change::{Change, RangeInfo},
    cli::{error::CliError, review::bring, workspace::Workspace},
    git::{RangeSpec, Repo},
    pull::{Address, PullRequest, Reviewed},
    report::summary,
    store::RunDir,
    tally::since::short,
};

/// The commits in question.
pub(super) struct Wanted {
    /// Full id of the last one.
    head: String,
    /// Full id of the one that the review must have started from; `None` where it cannot be told here.
    base: Option<String>,
    /// The words or the commit that stood for `base`, where they may name it themselves.
    named: Option<String>,
    /// Which they are, for people: `what is checked out`.
    words: &'static str,
    /// The number of the pull request that they are of.
    pull: Option<u64>,
    /// Nothing differs between them.
    is_empty: bool,
}

/// What the gate has to judge.
pub(super) enum Found {
    /// A run.
    Run(RunDir),
    /// No run, and no file differs.
    Nothing(RangeInfo),
}

impl Wanted {
    /// By flags, else what is checked out: from where it left the default branch, as `scrum review` would.
    pub(super) fn here(workspace: &Workspace, args: &GateCommand) -> Result<Self, CliError> {
        let repo = workspace.repo.as_ref();
        let repo = repo.ok_or_else(|| {
            CliError::new("not in a git repository, so nobody can say which commits are to pass")
                .hint("`--pr N` asks the platform")
        })?;
        let spec = match (&args.base, &args.head) {
            (None, None) => RangeSpec::Default,
            (Some(base), head) => {
                RangeSpec::Commits(format!("{base}...{}", head.as_deref().unwrap_or("HEAD")))
            }
            (None, Some(head)) if Some(full_id(repo, head)?) == repo.head() => RangeSpec::Default,
            (None, Some(head)) => {
                return Err(CliError::new(format!("where does the review of {head} start?"))
                    .hint("say the branch it is to be merged into, or a commit: `--base main`"));
            }
        };
        let Change { range, files, .. } = repo.read(&spec)?;
        let words = if args.base.is_none() && args.head.is_none() { "checked out" } else { "asked about" };
        let head = range.head.ok_or_else(|| CliError::new("nothing is committed yet"))?;
        let (named, is_empty) = (args.base.clone(), files.is_empty());
        Ok(Self { head, base: range.base, named, words, pull: None, is_empty })
    }

    /// What a pull request is now.
    ///
    /// What of it is not here is fetched; where that fails, its start stays unknown.
    pub(super) fn of_pull(workspace: &Workspace, address: Address, pull: &PullRequest) -> Self {
        let number = address.number;
        let reviewed = bring(workspace, address, pull).ok();
        let range = reviewed.map(|Reviewed { base, head, .. }| RangeSpec::Commits(format!("{base}..{head}")));
        let change = workspace.repo.as_ref().zip(range).and_then(|(repo, range)| repo.read(&range).ok());
        let is_empty = change.as_ref().is_some_and(|change| change.files.is_empty());
        Self {
            head: pull.head.clone(),
            base: change.and_then(|change| change.range.base),
            named: Some(pull.base.clone()),
            words: "the pull request now",
            pull: Some(number),
            is_empty,
        }
    }

    /// Whether a run is of these commits.
    fn fits(&self, dir: &RunDir) -> Result<bool, CliError> {
        let range = RangeInfo::from(&dir.record()?.range);
        if range.head.as_ref() != Some(&self.head) {
            return Ok(false);
        }
        // A review of what is new on a pull request carries the rest along.
        let (base, target) = match dir.since()? {
            Some(since) => (Some(since.pull.base), Some(since.pull.target)),
            None => (range.base, None),
        };
        let is_named = |commit: &Option<String>| {
            let named = self.named.as_deref().filter(|named| named.len() >= 7);
            commit.as_deref().zip(named).is_some_and(|(commit, named)| commit.starts_with(named))
        };
        Ok(base == self.base || is_named(&base) || (self.base.is_none() && is_named(&target)))
    }

    /// The commits as a range.
    fn range(&self) -> String {
        let (base, head) = (self.base.as_deref().or(self.named.as_deref()), short(&self.head));
        base.map_or_else(|| head.to_owned(), |base| format!("{}..{head}", short(base)))
    }

    fn refuse(&self, message: String) -> CliError {
        let what = match (self.pull, &self.base) {
            (Some(number), _) => format!(" --pr {number}"),
            (None, Some(_)) => format!(" {}", self.range()),
            // The first commit of all, which has nothing before it.
            (None, None) => String::new(),
        };
        let error = CliError::new(message).hint(format!("review it: `scrum review{what}`"));
        match (self.pull, &self.base, self.words) {
            (Some(_), None, _) => {
                error.hint("its commits are not here: fetch them, then the start of the review can be told")
            }
            (None, _, "checked out") => error.hint("`--base` and `--head` ask about other commits"),
            (None | Some(_), ..) => error,
        }
    }
}

fn full_id(repo: &Repo, revision: &str) -> Result<String, CliError> {
    let range = repo.read(&RangeSpec::Commits(format!("{revision}..{revision}")))?.range;
    range.head.ok_or_else(|| CliError::new(format!("{revision} is no commit")))
}

/// The run that `name` means; `latest` is the latest run of the commits in question that was made here.
pub(super) fn find(workspace: &Workspace, name: &str, wanted: &Wanted) -> Result<Found, CliError> {
    if name != "latest" {
        let dir = workspace.find_run(name)?;
        return if wanted.fits(&dir)? { Ok(Found::Run(dir)) } else { Err(other(workspace, &dir, wanted)?) };
    }
    match fitting(workspace, wanted) {
        Some(dir) => Ok(Found::Run(dir)),
        None if wanted.is_empty => Ok(Found::Nothing(RangeInfo {
            base: wanted.base.clone(),
            head: Some(wanted.head.clone()),
            spec: wanted.range(),
        })),
        None => {
            Err(wanted.refuse(format!("no run here is of {}, which is {}", wanted.range(), wanted.words)))
        }
    }
}

/// The latest run of the commits in question; one that does not read is none.
fn fitting(workspace: &Workspace, wanted: &Wanted) -> Option<RunDir> {
    workspace.runs_made_here().rev().find(|dir| wanted.fits(dir).unwrap_or(false))
}

/// Why a run is not judged.
fn other(workspace: &Workspace, dir: &RunDir, wanted: &Wanted) -> Result<CliError, CliError> {
    let range = RangeInfo::from(&dir.record()?.range);
    let of = summary::commits(&range);
    let message = format!("run {} is of {of}, not of {}, which is {}", dir.id, wanted.range(), wanted.words);
    Ok(match fitting(workspace, wanted) {
        Some(fit) => {
            CliError::new(message).hint(format!("of that is run {}: `scrum gate {}`", fit.id, fit.id))
        }
        None => wanted.refuse(message),
    })
}
