//! Where a command runs: [`Workspace`] finds the repository, its configuration and its runs.

mod place;
mod reading;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    ChangeArgs, Global,
    error::CliError,
    review::Material,
    trust::{self, Trust},
    ui::Ui,
};
use crate::{
    bundle::{self, Split, SplitRules},
    change::{Change, RangeInfo, RepoPath},
    clock,
    config::{
        self, Config, Seats, StandIn,
        env::{self, Environment},
    },
    git::{self, RangeSpec, Repo},
    prompt::{
        Templates,
        guidance::{FILE_NAMES, Guidance},
    },
    provider::{AnswerBuiltin, Opener, builtin::RuleSet},
    pull::Reviewed,
    reviewer::{Builtin, Reviewer},
    run::{
        offline::{self, Past},
        saved::{self, SavedRun},
        tree,
    },
    store::{Cache, RunDir, Store, cache::Limits},
    tally::gate::Policy,
};
use place::Place;
use reading::{pull_range, read_change};

/// A folder, the repository around it if there is one, and what is configured there.
pub(super) struct Workspace {
    pub(super) repo: Option<Repo>,
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) environment: Environment,
    /// `None`: what is on disk counts.
    trust: Option<Trust>,
    /// The change it was opened for.
    given: Option<Change>,
    /// The merge base of the pull request under review: nothing later steers it.
    steered_by: Option<String>,
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
    /// Opens the repository around the working directory and reads the change, whose files steer nothing; a diff from a
    /// file needs no repository.
    pub(super) fn for_change(global: &Global, args: &ChangeArgs, ui: Ui) -> Result<Self, CliError> {
        let place = Place::of(global)?;
        let repo = if args.diff.is_some() { place.repository()? } else { Some(place.own_repository()?) };
        let change = read_change(args, repo.as_ref(), &place.directory)?;
        let trust =
            Trust::in_review_of(&change, repo.as_ref(), &place.root(repo.as_ref()), &place.directory)?;
        let workspace = Self::at(global, place, repo, Some(trust), ui)?;
        Ok(Self { given: Some(change), ..workspace })
    }

    /// Opens what tells where a pull request is. Where nothing says which commits are trusted, no file of the repository does.
    pub(super) fn for_addressing(global: &Global, ui: Ui) -> Result<Self, CliError> {
        let place = Place::of(global)?;
        let repo = place.own_repository()?;
        let (root, directory) = (place.root(Some(&repo)), &place.directory);
        let trust = if repo.knows_default_branch() {
            Trust::in_checkout(&repo, &root, directory)?.map(Trust::silent)
        } else {
            Some(Trust::in_nothing(&root, directory))
        };
        Self::at(global, place, Some(repo), trust, ui)
    }

    /// Opens the repository for a review of a pull request whose commits are here, and reads all of its change.
    pub(super) fn for_pull(global: &Global, pull: &Reviewed, ui: Ui) -> Result<Self, CliError> {
        let place = Place::of(global)?;
        let repo = place.own_repository()?;
        let change = repo.read(&pull_range(pull, &pull.base, pull.address.to_string()))?;
        let trust = Trust::in_review_of(&change, Some(&repo), &place.root(Some(&repo)), &place.directory)?;
        let workspace = Self::at(global, place, Some(repo), Some(trust), ui)?;
        Ok(Self { given: Some(change), steered_by: Some(pull.base.clone()), ..workspace })
    }

    /// The change it was opened for; `None` when it was opened for none.
    pub(super) fn given(&self) -> Option<&Change> {
        self.given.as_ref()
    }

    /// Reads what of `pull` came after the commit `from`; `words` say so.
    pub(super) fn change_since(
        &self,
        pull: &Reviewed,
        from: &str,
        words: String,
    ) -> Result<Change, CliError> {
        let repo = self.repo.as_ref().ok_or_else(|| CliError::new("not in a git repository"))?;
        Ok(repo.read(&pull_range(pull, from, words))?)
    }

    /// Reviews `change` only; what it was opened for steers it all the same.
    pub(super) fn narrow(&mut self, change: Change) {
        self.given = Some(change);
    }

    /// `range` with the commit in place of its base from which on nothing steers the review.
    fn steering(&self, range: &RangeInfo) -> RangeInfo {
        RangeInfo { base: self.steered_by.clone().or_else(|| range.base.clone()), ..range.clone() }
    }

    /// Opens what there is to go on with a run; files that came with its change steer nothing.
    pub(super) fn for_run(global: &Global, name: &str, ui: Ui) -> Result<(Self, RunDir), CliError> {
        let dir = Self::open_anywhere(global, ui)?.find_run(name)?;
        let place = Place::of(global)?;
        let repo = place.repository()?;
        let run = saved::open_undecided(&dir)?;
        let trust = Trust::in_run(&run, repo.as_ref(), &place.root(repo.as_ref()), &place.directory)?;
        let steered_by = run.input.since.map(|since| since.pull.base);
        let workspace = Self::at(global, place, repo, Some(trust), ui)?;
        Ok((Self { steered_by, ..workspace }, dir))
    }

    /// Does without a repository where there is none. Nothing is under review, so what is on disk counts.
    pub(super) fn open_anywhere(global: &Global, ui: Ui) -> Result<Self, CliError> {
        let place = Place::of(global)?;
        let repo = place.repository()?;
        Self::at(global, place, repo, None, ui)
    }

    /// Does without a repository where there is none, and without the configuration where that cannot be used: what is wrong with
    /// it comes along.
    pub(super) fn open_forgiving(global: &Global, ui: Ui) -> Result<(Self, Option<CliError>), CliError> {
        let broken = match Self::open_checkout(global, ui) {
            Ok(workspace) => return Ok((workspace, None)),
            Err(error) => error,
        };
        // Where it is the configuration, the same goes well without one.
        let place = Place::of(global)?;
        let repo = place.repository()?;
        let config = Config::builtin()?;
        let store = Store::new(
            &place.root(repo.as_ref()),
            [&config.cache_dir, &config.bundles_dir, &config.reviews_dir],
        );
        let (trust, given, steered_by, environment) = (None, None, None, Environment);
        let Place { directory, started_in } = place;
        let workspace =
            Self { repo, config, store, environment, trust, given, steered_by, directory, started_in };
        Ok((workspace, Some(broken)))
    }

    /// As a review here would be configured: what is checked out and not on the default branch steers nothing.
    pub(super) fn open_checkout(global: &Global, ui: Ui) -> Result<Self, CliError> {
        let place = Place::of(global)?;
        let repo = place.repository()?;
        let root = place.root(repo.as_ref());
        let trust =
            repo.as_ref().and_then(|repo| Trust::in_checkout(repo, &root, &place.directory).transpose());
        Self::at(global, place, repo, trust.transpose()?, ui)
    }

    /// Adds reviewers that nobody configured, but not twice. The files of the change steer them no more than the others.
    pub(super) fn seat(&mut self, reviewers: Vec<Reviewer>) {
        for mut reviewer in reviewers {
            let trust = self.trust.as_ref();
            reviewer.tampered = trust
                .and_then(|trust| trust.tampered(self.repo.as_ref(), &self.started_in, &reviewer.access));
            if self.config.reviewers.iter().all(|known| known.id != reviewer.id) {
                self.config.reviewers.push(reviewer);
            }
        }
    }

    /// The text of the repository's file `path` that steers reviews, as it counts here.
    pub(super) fn steering_file(&self, path: &str, ui: Ui) -> Result<Option<String>, CliError> {
        let file = self.root().join(path);
        Ok(config::text_if_there(&file, &stand_ins(self.trust.as_ref(), self.repo.as_ref(), ui))?)
    }

    fn is_committed(&self, file: &Path) -> bool {
        let paths = git::paths_below(&self.root(), file);
        self.repo.as_ref().is_some_and(|repo| paths.iter().any(|path| repo.is_committed(path)))
    }

    /// How far the files of the change under review can be trusted.
    pub(super) fn trust(&self) -> Result<&Trust, CliError> {
        self.trust.as_ref().ok_or_else(|| CliError::new("no change is under review"))
    }

    /// How far the files of a saved run's change can be trusted.
    pub(super) fn trust_in(&self, run: &SavedRun) -> Result<Trust, CliError> {
        Trust::in_run(run, self.repo.as_ref(), &self.root(), &self.directory)
    }

    /// The repository's root, else the working directory: where `scrum.toml` is looked for.
    pub(super) fn root(&self) -> PathBuf {
        self.repo.as_ref().map_or_else(|| self.directory.clone(), Repo::root)
    }

    /// An explicit configuration is the user's word for all that it names.
    fn at(
        global: &Global,
        place: Place,
        repo: Option<Repo>,
        trust: Option<Trust>,
        ui: Ui,
    ) -> Result<Self, CliError> {
        let root = place.root(repo.as_ref());
        let explicit = global.config.as_ref().map(|path| place.directory.join(path));
        let distrusted = trust.as_ref().filter(|_| explicit.is_none());
        let mut config = Config::load(
            Some(&root),
            explicit.as_deref(),
            Environment,
            &stand_ins(distrusted, repo.as_ref(), ui),
        )?;
        if let Some(trust) = distrusted {
            config.distrust(&|access| trust.tampered(repo.as_ref(), &place.started_in, access));
        }
        Environment.lay_over_forge(&mut config.forge);
        if let Some(folder) = Environment.get(env::CACHE_DIR) {
            config.cache_dir = folder.into();
        }
        if let Some(folder) = Environment.get(env::RUNS_DIR) {
            (config.bundles_dir, config.reviews_dir) =
                (Path::new(&folder).join("bundles"), Path::new(&folder).join("reviews"));
        }
        let store = Store::new(&root, [&config.cache_dir, &config.bundles_dir, &config.reviews_dir]);
        trust.iter().try_for_each(|trust| trust.check_folders(repo.as_ref(), store.folders()))?;
        let Place { directory, started_in } = place;
        let (environment, given, steered_by) = (Environment, None, None);
        Ok(Self { repo, config, store, environment, trust, given, steered_by, directory, started_in })
    }

    /// The file that it is configured by, besides the user's own; `None` where there is none.
    pub(super) fn configuration(&self, global: &Global) -> Option<PathBuf> {
        let named = global.config.as_ref().map(|path| self.directory.join(path));
        named.or_else(|| Some(self.root().join(config::FILE_NAME)).filter(|file| file.is_file()))
    }

    /// The same configuration for the repository around `folder`, or for none; its runs are kept apart, under `eval/`.
    pub(super) fn for_evaluation(&self, folder: Option<&Path>) -> Result<Self, CliError> {
        let root = self.root();
        let Config { cache_dir, bundles_dir, reviews_dir, .. } = &self.config;
        Ok(Self {
            repo: folder.map(Repo::discover).transpose()?,
            config: self.config.clone(),
            store: Store::new(&root, [cache_dir, &bundles_dir.join("eval"), &reviews_dir.join("eval")]),
            environment: self.environment,
            trust: None,
            given: None,
            steered_by: None,
            directory: self.directory.clone(),
            started_in: self.started_in.clone(),
        })
    }

    /// A path as the user meant it: from the working directory.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// The runs that were made here, the oldest first; those that came with a commit are left out: a change could bring them.
    pub(super) fn runs_made_here(&self) -> impl DoubleEndedIterator<Item = RunDir> {
        self.store.runs().into_iter().filter(|dir| !self.is_committed(&dir.review))
    }

    /// The run that `name` means, a path being meant from the working directory. One that is committed is never the latest:
    /// a change could bring it.
    pub(super) fn find_run(&self, name: &str) -> Result<RunDir, CliError> {
        let runs = self.store.runs();
        if let ("latest", Some(newest)) = (name, runs.last()) {
            return self.runs_made_here().next_back().ok_or_else(|| {
                CliError::new("no run was made here: those there are came with a commit")
                    .hint(format!("the newest of them is {}", newest.id))
            });
        }
        let as_path = self.resolve(Path::new(name));
        let is_path = as_path.join("run.json").is_file();
        Ok(self.store.find(if is_path { as_path.to_str().unwrap_or(name) } else { name })?)
    }

    /// The gauntlet without a review that `name` means, a path being meant from the working directory.
    pub(super) fn find_gauntlet(&self, name: &str) -> Option<RunDir> {
        let as_path = self.resolve(Path::new(name));
        let is_path = as_path.join("gauntlet.json").is_file();
        self.store.find_gauntlet(if is_path { as_path.to_str().unwrap_or(name) } else { name })
    }

    /// Reads the change and says what is to be known about it.
    pub(super) fn change(&self, args: &ChangeArgs, ui: Ui) -> Result<Reading, CliError> {
        let change = match &self.given {
            Some(change) => change.clone(),
            None => read_change(args, self.repo.as_ref(), &self.directory)?,
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
        let spec = match (&self.steered_by, &range.base) {
            (Some(base), Some(from)) => RangeSpec::Pull {
                base: base.clone(),
                from: from.clone(),
                head: head.clone(),
                words: range.spec.clone(),
            },
            (None, Some(from)) => RangeSpec::Commits(format!("{from}..{head}")),
            (Some(_) | None, None) => RangeSpec::Commits(head.clone()),
        };
        repo.read(&spec).ok()
    }

    /// The configured policy of the gate.
    pub(super) fn policy(&self) -> Policy {
        self.config.gate.clone()
    }

    /// The prompt templates, the configured ones in place of the embedded.
    pub(super) fn templates(&self) -> Result<Templates, CliError> {
        Ok(Templates::new(self.config.system_prompt.clone(), self.config.user_prompt.clone())?)
    }

    /// Answers of other runs; whether or not they are used, new ones are kept.
    pub(super) fn cache(&self, is_read: bool) -> Cache {
        let folder = self.store.folders()[0].to_owned();
        Cache { folder, is_read, most_age: self.config.cache_age, now: clock::now() }
    }

    /// What may stay in it.
    pub(super) fn cache_limits(&self) -> Limits {
        Limits { most_bytes: self.config.cache_bytes, most_age: self.config.cache_age }
    }

    /// What the maintainers tell the reviewers of `split`, the share of a change over `range`. Files come from the baseline,
    /// so that a change cannot speak to its own reviewers; a diff from a file has none.
    pub(super) fn guidance(
        &self,
        range: &RangeInfo,
        split: &Split,
        templates: &Templates,
        ui: Ui,
    ) -> Result<Guidance, CliError> {
        let Config { guidance, guidance_bytes, guidance_rules, .. } = &self.config;
        if !guidance {
            return Ok(Guidance::default());
        }
        let repo = self.repo.as_ref().filter(|_| range.base.is_some());
        let baseline = repo.map(|repo| repo.baseline(&self.steering(range))).transpose()?;
        let changed = || split.bundles.iter().flat_map(|bundle| &bundle.files).map(|file| &file.path);
        let files = repo.zip(baseline).map(|(repo, base)| repo.nearby_files(base, changed(), &FILE_NAMES));
        let files = files.transpose()?.unwrap_or_default();
        trust::tell_of_guidance(changed(), &files, baseline, ui);
        let has_any = !files.is_empty() || !guidance_rules.is_empty();
        if has_any && !templates.tell_guidance() {
            ui.note("guidance is not told: the configured prompts do not name it");
            return Ok(Guidance::default());
        }
        Ok(Guidance::new(files, guidance_rules, *guidance_bytes)?)
    }

    /// What opens the reviewers of a run about `material`.
    ///
    /// `change` is the material's change, where its files are at hand and its past is asked for.
    pub(super) fn opener(
        &self,
        seats: &Seats,
        material: &Material,
        change: Option<Change>,
    ) -> Result<Opener, CliError> {
        let root = self.repo.as_ref().map(Repo::root);
        let site = tree::site(root, &material.range, &material.split);
        let builtins = self.offline(seats, &material.split, change)?;
        Ok(Opener::new(builtins, site, self.environment.variables().collect()))
    }

    /// What answers for the offline reviewers.
    fn offline(
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

    /// Who works here: whom the CI service names, else as git knows them, else as the system does.
    pub(super) fn person(&self) -> String {
        let by_git = || self.repo.as_ref().and_then(Repo::user_name);
        let name = self.environment.actor().or_else(by_git).or_else(|| self.environment.user());
        name.unwrap_or_else(|| "unknown".to_owned())
    }

    /// A path as a person would write it where the process was started, which `-C` does not change.
    pub(super) fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.started_in).unwrap_or(path).display()
    }

    /// A file as it was before the change over `range`, where there is a repository to ask.
    pub(super) fn text_before(&self, range: &RangeInfo, path: &RepoPath) -> Option<Vec<u8>> {
        self.repo.as_ref()?.text_before(range, path)
    }

    /// How to split, from configuration and flags.
    pub(super) fn split_rules(
        &self,
        args: &ChangeArgs,
        change: &Change,
        ui: Ui,
    ) -> Result<SplitRules, CliError> {
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
            ignored: self.steering_file(bundle::IGNORE_FILE, ui)?.unwrap_or_default(),
            only_components: args.components.clone(),
            force_oversize: self.environment.force_oversize(),
        })
    }
}

/// What counts in place of files on disk.
fn stand_ins<'a>(
    trust: Option<&'a Trust>,
    repo: Option<&'a Repo>,
    ui: Ui,
) -> impl Fn(&Path) -> io::Result<StandIn> + 'a {
    move |file| trust.map_or(Ok(StandIn::Disk), |trust| trust.stand_in(repo, file, ui))
}
