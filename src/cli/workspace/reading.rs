//! Which change a command is about: [`read_change`] reads what its arguments mean.

use std::path::Path;

use crate::{
    change::Change,
    cli::{ChangeArgs, error::CliError},
    git::{self, RangeSpec, Repo},
    pull::Reviewed,
};

/// The change that `args` mean, read.
pub(super) fn read_change(
    args: &ChangeArgs,
    repo: Option<&Repo>,
    directory: &Path,
) -> Result<Change, CliError> {
    match (&args.diff, repo) {
        (Some(file), _) => {
            let mut change = git::read_diff(&diff_text(file, directory)?)?;
            change.range.spec = format!("--diff {}", file.display());
            Ok(change)
        }
        (None, Some(repo)) => Ok(repo.read(&range_spec(args))?),
        (None, None) => Err(CliError::new("not in a git repository")),
    }
}

fn diff_text(file: &Path, directory: &Path) -> Result<Vec<u8>, CliError> {
    if file == Path::new("-") {
        return crate::cli::ui::read_stdin();
    }
    crate::cli::ui::read_file(&directory.join(file))
}

/// What of `pull` came after the commit `from`.
pub(super) fn pull_range(pull: &Reviewed, from: &str, words: String) -> RangeSpec {
    let (base, from, head) = (pull.base.clone(), from.to_owned(), pull.head.clone());
    RangeSpec::Pull { base, from, head, words }
}

fn range_spec(args: &ChangeArgs) -> RangeSpec {
    match &args.range {
        Some(text) => RangeSpec::Commits(text.clone()),
        None if args.staged => RangeSpec::Staged,
        None if args.worktree => RangeSpec::Worktree,
        None => RangeSpec::Default,
    }
}
