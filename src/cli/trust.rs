//! Whose files steer a review: [`Trust`] keeps those that come with the change under review from doing so.
//!
//! A file of the repository counts as it is on disk as long as neither the change nor the checked-out commit differs there
//! from the baseline: then it is the baseline's, or an edit of the user's that is not committed. Otherwise the baseline's
//! counts. docs/design/trust.md goes through the cases.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use super::{error::CliError, ui::Ui};
use crate::{
    change::{Change, RangeInfo, RepoPath},
    config::{self, StandIn},
    git::{self, Baseline, Repo, Touched},
    prompt::guidance::FILE_NAMES,
    reviewer::{Access, ReportSource},
    run::saved::SavedRun,
};

/// Says which of the `changed` files would tell reviewers something if they did not come with the change; `told` are those
/// that do at the baseline.
pub(super) fn tell_of_guidance<'a>(
    changed: impl Iterator<Item = &'a RepoPath>,
    told: &[(RepoPath, String)],
    baseline: Option<Baseline>,
    ui: Ui,
) {
    let guides = changed.filter(|path| FILE_NAMES.iter().any(|name| path.file_name() == name.as_bytes()));
    // A file that was cut into several bundles is still one.
    let guides: BTreeSet<&RepoPath> = guides.collect();
    let base = baseline.and_then(Baseline::name).unwrap_or_default();
    for path in guides {
        if told.iter().any(|(one, _)| one == path) {
            ui.warning(format_args!("{path} is told to reviewers as it was at {base}, before this change"));
        } else {
            ui.warning(format_args!("{path} comes with this change and is not told to reviewers"));
        }
    }
}

/// What is known about the files that somebody else may have changed.
#[derive(Debug, Clone)]
pub(super) struct Trust {
    root: PathBuf,
    /// Where paths on the command line start.
    directory: PathBuf,
    /// Paths of the change, on both sides.
    touched: Touched,
    /// `None` where there is nothing to compare with: a diff from a file.
    baseline: Option<Baseline>,
    /// Without a work tree only the baseline's files count.
    is_bare: bool,
    /// Says nothing of files that do not count: what is opened next does.
    is_silent: bool,
}

impl Trust {
    /// For a review of `change`.
    pub(super) fn in_review_of(
        change: &Change,
        repo: Option<&Repo>,
        root: &Path,
        directory: &Path,
    ) -> Result<Self, CliError> {
        let paths = change.files.iter().flat_map(|file| std::iter::once(&file.path).chain(&file.old_path));
        Self::new(&change.range, Touched::new(paths), repo, (root, directory))
    }

    /// For what is checked out; `None` before the first commit.
    pub(super) fn in_checkout(repo: &Repo, root: &Path, directory: &Path) -> Result<Option<Self>, CliError> {
        let Some(head) = repo.head() else { return Ok(None) };
        let range = RangeInfo { base: Some(head.clone()), head: Some(head), spec: "HEAD".to_owned() };
        Self::new(&range, Touched::new([].iter()), Some(repo), (root, directory)).map(Some)
    }

    /// The same without a word.
    pub(super) fn silent(self) -> Self {
        Self { is_silent: true, ..self }
    }

    /// For when nothing tells which commits are trusted: no configuration of the repository counts.
    pub(super) fn in_nothing(root: &Path, directory: &Path) -> Self {
        let touched = Touched::new(std::iter::once(&RepoPath::from(config::FILE_NAME)));
        let (root, directory) = (root.to_owned(), directory.to_owned());
        Self { root, directory, touched, baseline: None, is_bare: false, is_silent: true }
    }

    /// For going on with a run.
    pub(super) fn in_run(
        run: &SavedRun,
        repo: Option<&Repo>,
        root: &Path,
        directory: &Path,
    ) -> Result<Self, CliError> {
        let files = run.input.bundles.iter().flat_map(|bundle| &bundle.files);
        let shown = files.flat_map(|file| std::iter::once(&file.path).chain(&file.old_path));
        let left_out = run.input.excluded.iter();
        let left_out = left_out.flat_map(|file| std::iter::once(&file.path).chain(&file.old_path));
        let paths = shown.chain(left_out);
        let range = run.input.range.clone();
        let base = run.input.since.as_ref().map(|since| since.pull.base.clone()).or(range.base);
        Self::new(&RangeInfo { base, ..range }, Touched::new(paths), repo, (root, directory))
    }

    fn new(
        range: &RangeInfo,
        touched: Touched,
        repo: Option<&Repo>,
        (root, directory): (&Path, &Path),
    ) -> Result<Self, CliError> {
        let repo = repo.filter(|_| range.base.is_some() || range.head.is_some());
        let baseline = repo.map(|repo| repo.baseline(range)).transpose()?;
        let is_bare = repo.is_some_and(Repo::is_bare);
        let (root, directory) = (root.to_owned(), directory.to_owned());
        Ok(Self { root, directory, touched, baseline, is_bare, is_silent: false })
    }

    /// What counts in place of `file`. That it is not what is on disk is said, with the way to have that all the same.
    pub(super) fn stand_in(&self, repo: Option<&Repo>, file: &Path, ui: Ui) -> io::Result<StandIn> {
        let paths = git::paths_below(&self.root, file);
        let Some(path) = paths.first() else { return Ok(StandIn::Disk) };
        if !self.is_bare && !self.is_tampered(repo, &paths)? {
            return Ok(StandIn::Disk);
        }
        let before = self.baseline.zip(repo).map(|(baseline, repo)| repo.file_at(baseline, path));
        let before = before.transpose().map_err(io::Error::other)?.flatten();
        let before = before.map(|bytes| String::from_utf8(bytes).map_err(io::Error::other)).transpose()?;
        if !self.is_silent && !self.is_bare && (before.is_some() || file.exists()) {
            self.tell(file, path, before.is_some(), ui);
        }
        Ok(before.map_or(StandIn::Nothing, StandIn::Text))
    }

    fn tell(&self, file: &Path, path: &RepoPath, is_at_base: bool, ui: Ui) {
        let base = self.baseline.and_then(Baseline::name).unwrap_or_default();
        let is_configuration = path.as_bytes() == config::FILE_NAME.as_bytes();
        let other = file.strip_prefix(&self.directory).unwrap_or(file).display();
        let other = |what: &str| {
            if is_configuration { format!("; `--config {other}` uses {what}") } else { String::new() }
        };
        if is_at_base {
            let hint = other("the one here");
            ui.warning(format_args!("{path} is used as it was at {base}, before this change{hint}"));
        } else {
            ui.warning(format_args!("{path} comes with this change and is not used{}", other("it")));
        }
    }

    /// Refuses to keep runs and answers in folders of the change: a link would lead elsewhere, kept answers would be its own.
    pub(super) fn check_folders(
        &self,
        repo: Option<&Repo>,
        [cache, bundles, reviews]: [&Path; 3],
    ) -> Result<(), CliError> {
        for (folder, only_links) in [(cache, false), (bundles, true), (reviews, true)] {
            let written = git::paths_below(&self.root, folder);
            let mut above = folder.ancestors().take_while(|above| *above != self.root);
            let leads_elsewhere = above.any(Path::is_symlink);
            let is_tampered = self.is_tampered(repo, &written).unwrap_or(true);
            if is_tampered && (leads_elsewhere || !only_links) {
                let shown = self.below(folder).display();
                return Err(CliError::new(format!("{shown} comes with this change: nothing is kept there"))
                    .hint("take it out of the change, or review with a `--config FILE` whose `[paths]` are others"));
            }
        }
        Ok(())
    }

    fn below<'a>(&self, file: &'a Path) -> &'a Path {
        file.strip_prefix(&self.root).unwrap_or(file)
    }

    /// What a reviewer asked in this way would run or read of the change under review.
    pub(super) fn tampered(&self, repo: Option<&Repo>, started_in: &Path, access: &Access) -> Option<String> {
        let is_ours = |word: &Path| {
            let mut paths = git::paths_below(&self.root, &started_in.join(word));
            paths.extend(git::paths_below(&self.root, &self.root.join(word)));
            // What cannot be read is not to be trusted.
            self.is_tampered(repo, &paths).unwrap_or(true)
        };
        let names_ours = |word: &str| {
            let file = Path::new(word);
            !word.is_empty() && !started_in.join(file).is_dir() && is_ours(file)
        };
        let run = |argv: &[String], env: &BTreeMap<String, String>| {
            let words = argv.iter().chain(env.values());
            let mut names = words.flat_map(|word| names_in(word, is_shell(argv)));
            names.find(|word| names_ours(word)).map(|word| self.below(Path::new(word)).display().to_string())
        };
        let file = |file: &Path| is_ours(file).then(|| self.below(file).display().to_string());
        match access {
            Access::Command(program) => run(&program.argv, &program.env),
            Access::Sarif(analyser) => match &analyser.source {
                ReportSource::Program(program) => run(&program.argv, &program.env),
                ReportSource::File(report) => file(report),
            },
            Access::Replay { dir } => file(dir),
            Access::OpenAi { .. } | Access::Anthropic { .. } | Access::Builtin(_) => None,
        }
    }

    /// Whether the change, or what is checked out, differs from the baseline at one of `paths`.
    fn is_tampered(&self, repo: Option<&Repo>, paths: &[RepoPath]) -> io::Result<bool> {
        if paths.iter().any(|path| self.touched.meets(path)) {
            return Ok(true);
        }
        let Some((baseline, repo)) = self.baseline.zip(repo) else { return Ok(false) };
        for path in paths {
            if !repo.is_checked_out(baseline, path).map_err(io::Error::other)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What in an argument may be the name of a file: all of it, what stands behind `=`, and for a shell every word.
fn names_in(argument: &str, is_script: bool) -> impl Iterator<Item = &str> {
    let value = argument.split_once('=').map(|(_, value)| value);
    let between = |c: char| c.is_whitespace() || "'\"`;|&()<>{}=".contains(c);
    let words = argument.split(between).filter(move |_| is_script);
    [argument].into_iter().chain(value).chain(words)
}

fn is_shell(argv: &[String]) -> bool {
    let program = argv.first().map(Path::new).and_then(Path::file_name);
    program
        .is_some_and(|name| ["sh", "bash", "dash", "zsh", "ksh", "fish"].iter().any(|shell| name == *shell))
}
