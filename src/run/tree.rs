//! Where static tools find the files of a change's new side: `finder`.
//!
//! The work tree where it holds them; else they are written to a temporary folder, once a run and only when a tool asks.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use tempfile::TempDir;

use crate::{
    bundle::Split,
    change::{RangeInfo, RepoPath},
    git::Repo,
    provider::sarif::{FindTree, Site},
    reviewer::Tree,
};

/// What static tools look at: the change of `split`, which is `range` of the repository at `root`, if there is one.
pub fn site(root: Option<PathBuf>, range: &RangeInfo, split: &Arc<Split>) -> Site {
    Site { split: Arc::clone(split), head: range.head.clone(), tree: finder(root, range.clone(), split) }
}

fn finder(root: Option<PathBuf>, range: RangeInfo, split: &Split) -> FindTree {
    let Some(root) = root else {
        return Arc::new(|_| Err("there is no repository, hence no files to look at".to_owned()));
    };
    let files = split.bundles.iter().flat_map(|bundle| &bundle.files);
    let mut paths: Vec<RepoPath> = files.map(|file| file.path.clone()).collect();
    paths.dedup();
    let (work_tree, export) = (OnceLock::new(), OnceLock::new());
    Arc::new(move |tree| {
        let here = || work_tree.get_or_init(|| work_tree_of(&root, &range, &paths)).clone();
        let apart = || match export.get_or_init(|| export_of(&root, &range)) {
            Ok(Some(folder)) => Ok(Some(folder.path().to_owned())),
            Ok(None) => Ok(None),
            Err(reason) => Err(reason.clone()),
        };
        let found = match tree {
            Tree::Work => here()?,
            Tree::Any => here().transpose().or_else(|| apart().transpose()).transpose()?,
            Tree::Export => apart().transpose().or_else(|| here().transpose()).transpose()?,
        };
        found.ok_or_else(|| missing(tree, &range))
    })
}

fn work_tree_of(root: &Path, range: &RangeInfo, paths: &[RepoPath]) -> Result<Option<PathBuf>, String> {
    let repo = Repo::discover(root).map_err(|error| error.to_string())?;
    let holds = repo.work_tree_holds(range, paths).map_err(|error| error.to_string())?;
    Ok(holds.then(|| repo.root()))
}

fn export_of(root: &Path, range: &RangeInfo) -> Result<Option<TempDir>, String> {
    let repo = Repo::discover(root).map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let written = repo.export(range, folder.path()).map_err(|error| error.to_string())?;
    Ok(written.then_some(folder))
}

fn missing(tree: Tree, range: &RangeInfo) -> String {
    match (&range.head, tree) {
        (Some(head), Tree::Work) => {
            let head: String = head.chars().take(12).collect();
            format!(
                "needs the work tree as of commit {head}: check that commit out, without changes to its files"
            )
        }
        (None, Tree::Work) if range.spec == "--staged" => {
            "needs the work tree as it is staged: stash what is not".to_owned()
        }
        (_, Tree::Work | Tree::Any | Tree::Export) => {
            "a diff from a file does not tell where the files are: name a range of commits".to_owned()
        }
    }
}
