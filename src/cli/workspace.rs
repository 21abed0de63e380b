//! Where a command runs: [`Workspace`] finds the repository, its configuration and its runs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{ChangeArgs, Global, error::CliError, ui::Ui};
use crate::{
    bundle::{Split, SplitRules},
    change::{Change, RangeInfo},
    clock,
    config::{
        Config, Seats,
        env::{self, Environment},
    },
    git::{self, GitError, RangeSpec, Repo},
    prompt::Templates,
    provider::{AnswerBuiltin, builtin::RuleSet},
    reviewer::Builtin,
    run::offline::{self, Past},
    store::{Cache, RunDir, Store, cache::Limits},
    tally::gate::Policy,
};

/// A folder, the repository around it if there is one, and what is configured there.
pub(super) struct Workspace {
    pub(super) repo: Option<Repo>,
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) environment: Environment,
    directory: PathBuf,
    started_in: PathBuf,
}

/// What came of reading a change.
pub(super) enum Reading {
    /// Some files differ.
    Files(Change),
    /// Nothing differs, which has been said.
    NoFile(RangeInfo),
}

impl Workspace {
    /// Opens the repository around the working directory; a diff from a file needs none.
    pub(super) fn for_change(global: &Global, args: &ChangeArgs) -> Result<Self, CliError> {
        if args.diff.is_some() {
            return Self::open_anywhere(global);
        }
        Self::at(global, |directory| Ok(Some(Repo::discover(directory)?)))
    }

    /// Does without a repository where there is none.
    pub(super) fn open_anywhere(global: &Global) -> Result<Self, CliError> {
        Self::at(global, |directory| match Repo::discover(directory) {
            Ok(repo) => Ok(Some(repo)),
            Err(GitError::NotARepository { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        })
    }

    fn at(
        global: &Global,
        open: impl FnOnce(&Path) -> Result<Option<Repo>, CliError>,
    ) -> Result<Self, CliError> {
        let started_in = super::ui::current_directory()?;
        let directory = working_directory(global, &started_in)?;
        let repo = open(&directory)?;
        let environment = Environment;
        let root = repo.as_ref().map_or_else(|| directory.clone(), Repo::root);
        let explicit = global.config.as_ref().map(|path| directory.join(path));
        let config = Config::load(Some(&root), explicit.as_deref(), environment)?;
        let store = Store::new(&root, &config.bundles_dir, &config.reviews_dir);
        Ok(Self { repo, config, store, environment, directory, started_in })
    }

    /// The same configuration for the repository around `folder`, or for none; its runs are kept apart, under `eval/`.
    pub(super) fn for_evaluation(&self, folder: Option<&Path>) -> Result<Self, CliError> {
        let root = self.repo.as_ref().map_or_else(|| self.directory.clone(), Repo::root);
        let apart = |folder: &Path| folder.join("eval");
        Ok(Self {
            repo: folder.map(Repo::discover).transpose()?,
            config: self.config.clone(),
            store: Store::new(&root, &apart(&self.config.bundles_dir), &apart(&self.config.reviews_dir)),
            environment: self.environment,
            directory: self.directory.clone(),
            started_in: self.started_in.clone(),
        })
    }

    /// A path as the user meant it: from the working directory.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// The run that `name` means, a path being meant from the working directory.
    pub(super) fn find_run(&self, name: &str) -> Result<RunDir, CliError> {
        let as_path = self.resolve(Path::new(name));
        let is_path = as_path.join("run.json").is_file();
        Ok(self.store.find(if is_path { as_path.to_str().unwrap_or(name) } else { name })?)
    }

    /// Reads the change and says what is to be known about it.
    pub(super) fn change(&self, args: &ChangeArgs, ui: Ui) -> Result<Reading, CliError> {
        let change = match (&args.diff, &self.repo) {
            (Some(file), _) => {
                let mut change = git::read_diff(&self.diff_text(file)?)?;
                change.range.spec = format!("--diff {}", file.display());
                change
            }
            (None, Some(repo)) => repo.read(&range_spec(args))?,
            (None, None) => return Err(CliError::new("not in a git repository")),
        };
        change.notes.iter().for_each(|note| ui.note(note));
        if change.files.is_empty() {
            ui.note(format_args!("nothing to review: {} changes no file", change.range.spec));
            return Ok(Reading::NoFile(change.range));
        }
        Ok(Reading::Files(change))
    }

    /// The change of a saved run read anew, where both its sides are commits.
    pub(super) fn change_again(&self, range: &RangeInfo) -> Option<Change> {
        let (repo, head) = (self.repo.as_ref()?, range.head.as_ref()?);
        let spec = range.base.as_ref().map_or_else(|| head.clone(), |base| format!("{base}..{head}"));
        repo.read(&RangeSpec::Commits(spec)).ok()
    }

    fn diff_text(&self, file: &Path) -> Result<Vec<u8>, CliError> {
        if file == Path::new("-") {
            return super::ui::read_stdin();
        }
        super::ui::read_file(&self.resolve(file))
    }

    /// The configured policy of the gate.
    pub(super) fn policy(&self) -> Policy {
        Policy { fail_on: self.config.fail_on, min_lineages: self.config.min_lineages }
    }

    /// The prompt templates, the configured ones in place of the embedded.
    pub(super) fn templates(&self) -> Result<Templates, CliError> {
        Ok(Templates::new(self.config.system_prompt.clone(), self.config.user_prompt.clone())?)
    }

    /// Where answers are kept for other runs. `None`, which is said, where a change could have put files.
    pub(super) fn cache(&self, is_read: bool, ui: Ui) -> Result<Option<Cache>, CliError> {
        let cache = Cache { is_read, ..self.whole_cache() };
        let tracks = |repo: &Repo| repo.tracks(&cache.folder);
        if self.repo.as_ref().map(tracks).transpose()?.unwrap_or_default() {
            let folder = self.shown(&cache.folder);
            ui.warning(format_args!(
                "the cache is not used: git tracks {folder}, so a change could forge answers"
            ));
            return Ok(None);
        }
        Ok(Some(cache))
    }

    /// The cache, whatever it holds.
    pub(super) fn whole_cache(&self) -> Cache {
        let root = self.repo.as_ref().map_or_else(|| self.directory.clone(), Repo::root);
        let dir = self.environment.get(env::CACHE_DIR).map(PathBuf::from);
        Cache {
            folder: root.join(dir.as_ref().unwrap_or(&self.config.cache_dir)),
            is_read: true,
            most_age: self.config.cache_age,
            now: clock::now(),
        }
    }

    /// What may stay in it.
    pub(super) fn cache_limits(&self) -> Limits {
        Limits { most_bytes: self.config.cache_bytes, most_age: self.config.cache_age }
    }

    /// What answers for the offline reviewers.
    ///
    /// `change` is the change of `split`, where its files are at hand and its past is asked for.
    pub(super) fn offline(
        &self,
        seats: &Seats,
        split: &Arc<Split>,
        change: Option<Change>,
    ) -> Result<AnswerBuiltin, CliError> {
        if !seats.asks(Builtin::Rules) && !seats.asks(Builtin::History) {
            return Ok(offline::nobody());
        }
        let rules = RuleSet::new(&self.config.rules)?;
        let past =
            self.repo.as_ref().zip(change).map(|(repo, change)| Past { git_dir: repo.git_dir(), change });
        Ok(offline::answerer(rules, past, Arc::clone(split)))
    }

    /// Who works here: as git knows them, else as the system does.
    pub(super) fn person(&self) -> String {
        let by_git = self.repo.as_ref().and_then(Repo::user_name);
        by_git.or_else(|| self.environment.user()).unwrap_or_else(|| "unknown".to_owned())
    }

    /// A path as a person would write it where the process was started, which `-C` does not change.
    pub(super) fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.started_in).unwrap_or(path).display()
    }

    /// How to split, from configuration and flags.
    pub(super) fn split_rules(&self, args: &ChangeArgs, change: &Change) -> Result<SplitRules, CliError> {
        let package_roots = match &self.repo {
            Some(repo) if args.diff.is_none() => repo.package_roots(change)?,
            Some(_) | None => Vec::new(),
        };
        Ok(SplitRules {
            declared: self.config.components.clone(),
            package_roots,
            limits: self.config.limits,
            cut_declared: self.config.cut_declared,
            include: if args.include.is_empty() { self.config.include.clone() } else { args.include.clone() },
            exclude: [self.config.exclude.as_slice(), &args.exclude].concat(),
            only_components: args.components.clone(),
            force_oversize: self.environment.force_oversize(),
        })
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

fn range_spec(args: &ChangeArgs) -> RangeSpec {
    match &args.range {
        Some(text) => RangeSpec::Commits(text.clone()),
        None if args.staged => RangeSpec::Staged,
        None if args.worktree => RangeSpec::Worktree,
        None => RangeSpec::Default,
    }
}
