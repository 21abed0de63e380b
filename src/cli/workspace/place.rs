//! The folder that a command works in: [`Place`]. What is configured there is the workspace's matter.

use std::path::{Path, PathBuf};

use crate::{
    cli::{Global, error::CliError},
    git::{GitError, Repo},
};

/// The folder a command works in.
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) started_in: PathBuf,
}

impl Place {
    pub(super) fn of(global: &Global) -> Result<Self, CliError> {
        let started_in = crate::cli::ui::current_directory()?;
        let directory = working_directory(global, &started_in)?;
        Ok(Self { directory, started_in })
    }

    /// The repository around it, which must be there.
    pub(super) fn own_repository(&self) -> Result<Repo, CliError> {
        Ok(Repo::discover(&self.directory)?)
    }

    /// The repository around it, if there is one.
    pub(super) fn repository(&self) -> Result<Option<Repo>, CliError> {
        match Repo::discover(&self.directory) {
            Ok(repo) => Ok(Some(repo)),
            Err(GitError::NotARepository { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The repository's root, else the folder.
    pub(super) fn root(&self, repo: Option<&Repo>) -> PathBuf {
        repo.map_or_else(|| self.directory.clone(), Repo::root)
    }
}

fn working_directory(global: &Global, started_in: &Path) -> Result<PathBuf, CliError> {
    let directory =
        global.directory.as_ref().map_or_else(|| started_in.to_owned(), |path| started_in.join(path));
    if directory.is_dir() {
        return Ok(directory);
    }
    Err(CliError::new(format!("no folder {}", directory.display())))
}
