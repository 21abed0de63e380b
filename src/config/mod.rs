//! Configuration, read once: [`Config::load`] puts the embedded defaults, the user's file and the repository's file
//! one over the other.
//!
//! Flags and environment variables are laid over the result by `cli`, which is the only caller.
#![expect(clippy::disallowed_methods, reason = "this is the edge that reads configuration files")]

mod analyser;
mod candidate;
mod check;
mod ci;
pub mod env;
mod error;
mod fallback;
mod file;
mod gap;
mod gate;
pub mod gauntlet;
mod invocation;
mod panel;
pub mod parity;
mod phases;
mod place;
mod preset;
mod prices;
mod project;
mod serve;
mod service;
mod wording;

use std::{
    collections::BTreeMap,
    io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

pub use candidate::{Candidate, candidates, one_a_lineage};
pub(crate) use error::nearest;
pub use error::{ConfigError, PanelError};
pub use panel::{AUTO, Choice, Obstacle, Seats, SkippedSeat, key_of};
pub use phases::ReviewPhase;
pub use place::Entry;
pub use preset::{Preset, hint, logins, presets};
pub use prices::PriceList;
pub use project::node_tool_below;
pub use serve::{
    BadRemote, JobLimits, LogForm, LogLevel, Place as RepositoryPlace, Queue, RemoteUrl, Repository, Serve,
    Webhook,
};

use crate::{
    bundle::{CutDeclared, DeclaredComponent, Limits, context::Context, route::RouteRule},
    post::remarks::Rules,
    prompt::guidance::GuidanceRule,
    pull::Platform,
    reviewer::{Access, Reviewer},
    tally::gate::Policy,
};

const DEFAULT: &str = include_str!("default.toml");

/// The lowest layer: `[[price]]` entries only.
const PRICES: &str = include_str!("prices.toml");

/// Most seconds an attempt may be given: a week.
const LONGEST_SECS: u64 = 7 * 24 * 3600;

/// Name of the repository's configuration file.
pub const FILE_NAME: &str = "scrum.toml";

/// All settings of a run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Panel to use when no flag names one: `auto`, `offline` or a name in `panels`.
    pub panel: String,
    /// Tasks under way at once, 1–1000.
    pub concurrency: NonZeroUsize,
    /// Most US dollars a run may spend.
    pub max_cost_usd: Option<f64>,
    /// Most tokens a run may spend.
    pub max_tokens: Option<u64>,
    /// What the gate asks for.
    pub gate: Policy,
    /// Who decides whether two claims at one place are the same; one of `reviewers`.
    pub adjudicator: Option<Reviewer>,
    /// Whether BLOCKs of one lineage are put to another one.
    pub verify: bool,
    /// Bundle sizes.
    pub limits: Limits,
    /// Whether declared components are cut.
    pub cut_declared: CutDeclared,
    /// How much is shown around a change.
    pub context: Context,
    /// Globs of paths to review; empty for all.
    pub include: Vec<String>,
    /// Globs of paths to leave out.
    pub exclude: Vec<String>,
    /// Declared components in order.
    pub components: Vec<DeclaredComponent>,
    /// Text of a file that replaces the system prompt template.
    pub system_prompt: Option<String>,
    /// Text of a file that replaces the user prompt template.
    pub user_prompt: Option<String>,
    /// Whether maintainers' guidance is told to reviewers.
    pub guidance: bool,
    /// Most bytes of it told about one bundle.
    pub guidance_bytes: usize,
    /// Guidance by path.
    pub guidance_rules: Vec<GuidanceRule>,
    /// Further rule files, name and text.
    pub rules: Vec<(String, String)>,
    /// Where bundles are kept, absolute or from the repository's root.
    pub bundles_dir: PathBuf,
    /// Where reviews are kept, absolute or from the repository's root.
    pub reviews_dir: PathBuf,
    /// Where answers are kept for other runs, absolute or from the repository's root.
    pub cache_dir: PathBuf,
    /// Most bytes of answers that are kept.
    pub cache_bytes: u64,
    /// Most age of answers that are kept, and used.
    pub cache_age: Duration,
    /// Where pull requests are.
    pub forge: ForgeSettings,
    /// Which issues get a comment at their line.
    pub post: Rules,
    /// What `scrum serve` does.
    pub serve: Serve,
    /// Named panels: reviewer ids.
    pub panels: BTreeMap<String, Vec<String>>,
    /// Which panel is asked about which files, in order of configuration; each names one that there is.
    pub routes: Vec<Route>,
    /// All reviewers, ids unique, in order of configuration.
    pub reviewers: Vec<Reviewer>,
    /// Longest time for one attempt and longest silence in it, in seconds, for reviewers that set none.
    pub times: (u64, u64),
    /// What tokens of models cost.
    pub prices: PriceList,
    /// Some file configures a `[[reviewer]]`, so that nobody else is looked for; the built-in ones do not count.
    pub names_reviewers: bool,
    /// The files that were read, the built-in one left out, in order of precedence.
    pub files: Vec<PathBuf>,
}

/// `[forge]`; what is not said is inferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeSettings {
    /// What the server speaks.
    pub platform: Option<Platform>,
    /// Where its pages begin.
    pub url: Option<String>,
    /// The repository's name there.
    pub project: Option<String>,
    /// The variable with the token for it.
    pub token_env: Option<String>,
}

/// What counts in place of a file on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandIn {
    /// The file itself.
    Disk,
    /// This text.
    Text(String),
    /// Nothing: as if the file were not there.
    Nothing,
}

/// Tells what counts in place of a file that somebody else's change may have brought.
pub type StandIns<'a> = dyn Fn(&Path) -> io::Result<StandIn> + 'a;

/// A `[[route]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What it fits.
    pub rule: RouteRule,
    /// Name of the panel that is asked: `auto` or a name in `panels`.
    pub panel: String,
}

impl Config {
    /// What applies where no file says anything else.
    pub fn builtin() -> Result<Self, ConfigError> {
        Layer::read(DEFAULT, Path::new("default.toml"))?.finish(&|_| Ok(StandIn::Disk))
    }

    /// Reads the user's file and the repository's (`root`/scrum.toml) where they exist, or `explicit` in place of the latter.
    ///
    /// Relative paths in a file start at the folder of that file. `stand_ins` is asked for the repository's file and for every
    /// file that a configuration names; the user's and the explicit one are read as they are.
    pub fn load(
        root: Option<&Path>,
        explicit: Option<&Path>,
        environment: env::Environment,
        stand_ins: &StandIns<'_>,
    ) -> Result<Self, ConfigError> {
        let user = environment.user_config_file().filter(|path| path.is_file());
        let mut merged = Layer::reference()?;
        let (mut names_reviewers, mut texts) = (false, Vec::new());
        let mut lay_over = |text: &str, path: &Path| {
            let layer = Layer::parse(text, path)?;
            names_reviewers |= layer.0.contains_key("reviewer");
            texts.push((path.to_owned(), text.to_owned()));
            merged.lay_over(layer);
            Ok::<_, ConfigError>(())
        };
        for path in user.iter().map(PathBuf::as_path).chain(explicit) {
            lay_over(&read(path)?, path)?;
        }
        if let (Some(root), None) = (root, explicit) {
            let path = root.join(FILE_NAME);
            let text = text_if_there(&path, stand_ins)?;
            text.map_or(Ok(()), |text| lay_over(&text, &path))?;
        }
        if environment.is_set(env::OLLAMA_HOST) {
            preset::find_ollama(&mut merged.0, &format!("{}/v1", environment.ollama()));
        }
        let config = merged.finish(stand_ins).map_err(|error| error.located(&texts))?;
        let files = texts.into_iter().map(|(path, _)| path).collect();
        Ok(Self { names_reviewers, files, ..config })
    }

    /// The variables with its reviewers' keys.
    pub fn key_variables(&self) -> impl Iterator<Item = &str> {
        self.reviewers.iter().chain(&self.adjudicator).filter_map(|reviewer| match &reviewer.access {
            Access::Command(invocation) => invocation.api_key_env.as_deref(),
            access => access.key_variable(),
        })
    }

    /// Where `entry` was written, as `scrum.toml:12`; the last file counts.
    pub fn place_of(&self, entry: &Entry) -> Option<String> {
        self.files.iter().rev().find_map(|path| {
            let line = place::line_of(entry, &read(path).ok()?)?;
            Some(format!("{}:{line}", path.display()))
        })
    }

    /// Marks the reviewers for which `tampered` names a file that they would run or read and that the change under review
    /// brings: they must not be asked.
    pub fn distrust(&mut self, tampered: &dyn Fn(&Access) -> Option<String>) {
        for reviewer in self.reviewers.iter_mut().chain(&mut self.adjudicator) {
            reviewer.tampered = tampered(&reviewer.access);
        }
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(unreadable(path))
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> ConfigError {
    move |source| ConfigError::Unreadable { path: path.to_owned(), source }
}

/// The text that counts of a file, if there is any.
pub fn text_if_there(path: &Path, stand_ins: &StandIns<'_>) -> Result<Option<String>, ConfigError> {
    match stand_ins(path).map_err(unreadable(path))? {
        StandIn::Disk => path.is_file().then(|| read(path)).transpose(),
        StandIn::Text(text) => Ok(Some(text)),
        StandIn::Nothing => Ok(None),
    }
}

/// The text that counts of a file that a configuration names.
fn named(path: &Path, stand_ins: &StandIns<'_>) -> Result<String, ConfigError> {
    match stand_ins(path).map_err(unreadable(path))? {
        StandIn::Disk => read(path),
        StandIn::Text(text) => Ok(text),
        StandIn::Nothing => Err(ConfigError::Tampered { path: path.to_owned() }),
    }
}

/// One file's settings, paths made absolute, still as a table so that layers can be merged.
struct Layer(toml::Table);

impl Layer {
    /// What applies where nobody says otherwise.
    fn reference() -> Result<Self, ConfigError> {
        let mut merged = Self::read(PRICES, Path::new("prices.toml"))?;
        merged.lay_over(Self::read(DEFAULT, Path::new("default.toml"))?);
        Ok(merged)
    }

    /// A file that may hold mistakes: they are told with the line they stand in.
    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        error::doubled(path, text)?;
        toml::from_str::<file::File>(text).map_err(|source| error::invalid(path, text, &source))?;
        Self::read(text, path)
    }

    /// Without a look at the keys.
    fn read(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut table = text.parse().map_err(|source| error::invalid(path, text, &source))?;
        make_absolute(&mut table, path.parent().unwrap_or(Path::new("")));
        gate::take_over(&mut table);
        panel::take_over(&mut table);
        Ok(Self(table))
    }

    fn lay_over(&mut self, upper: Self) {
        merge(&mut self.0, upper.0);
    }

    fn finish(mut self, stand_ins: &StandIns<'_>) -> Result<Config, ConfigError> {
        preset::expand(&mut self.0)?;
        let file: file::File = self.0.try_into().map_err(|source: toml::de::Error| ConfigError::Invalid {
            path: PathBuf::from("the merged configuration"),
            line: 0,
            reason: source.message().to_owned(),
            suggestion: None,
            advice: None,
        })?;
        Config::new(file, stand_ins)
    }
}

/// Files named in a configuration file are relative to it; run folders stay relative to the repository.
fn make_absolute(table: &mut toml::Table, folder: &Path) {
    let absolute = |value: &mut toml::Value| {
        if let toml::Value::String(text) = value
            && !text.is_empty()
        {
            *text = folder.join(&*text).to_string_lossy().into_owned();
        }
    };
    if let Some(toml::Value::Table(prompt)) = table.get_mut("prompt") {
        prompt.iter_mut().for_each(|(_, value)| absolute(value));
    }
    if let Some(files) = table.get_mut("rules").and_then(|rules| rules.get_mut("files")) {
        files.as_array_mut().into_iter().flatten().for_each(absolute);
    }
    let guidance = table.get_mut("guidance").and_then(|guidance| guidance.get_mut("rule"));
    for rule in guidance.and_then(toml::Value::as_array_mut).into_iter().flatten() {
        rule.get_mut("file").into_iter().for_each(absolute);
    }
    let repositories = table.get_mut("serve").and_then(|serve| serve.get_mut("repository"));
    for repository in repositories.and_then(toml::Value::as_array_mut).into_iter().flatten() {
        for key in ["path", "config"] {
            repository.get_mut(key).into_iter().for_each(absolute);
        }
    }
    let reviewers = table.get_mut("reviewer").and_then(toml::Value::as_array_mut);
    for reviewer in reviewers.into_iter().flatten() {
        for key in ["dir", "report", "work_dir"] {
            reviewer.get_mut(key).into_iter().for_each(absolute);
        }
        // A program by its path; one without a `/` is looked for on PATH.
        let command = reviewer.get_mut("command").and_then(toml::Value::as_array_mut);
        let program = command.and_then(|command| command.first_mut());
        program
            .into_iter()
            .filter(|name| name.as_str().is_some_and(|name| name.contains('/')))
            .for_each(absolute);
    }
}

/// Tables merge key by key; reviewers by id; prices of the upper file come before the lower ones; everything else is replaced.
fn merge(lower: &mut toml::Table, upper: toml::Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            (Some(toml::Value::Array(below)), toml::Value::Array(above)) if key == "reviewer" => {
                merge_reviewers(below, above);
            }
            (Some(toml::Value::Array(below)), toml::Value::Array(above)) if key == "price" => {
                below.splice(..0, above);
            }
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

fn merge_reviewers(below: &mut Vec<toml::Value>, above: Vec<toml::Value>) {
    let id = |entry: &toml::Value| entry.get("id").and_then(toml::Value::as_str).map(str::to_owned);
    let replaced: Vec<_> = above.iter().map(id).collect();
    below.retain(|entry| !replaced.contains(&id(entry)));
    below.extend(above);
}

impl Config {
    fn new(file: file::File, stand_ins: &StandIns<'_>) -> Result<Self, ConfigError> {
        check::ranges(&file)?;
        check::globs(&file)?;
        let prices = PriceList::new(file.price)?;
        let times = (file.review.timeout_secs, file.review.idle_timeout_secs);
        let reviewers = panel::reviewers(file.reviewer, times, &prices)?;
        fallback::check(&reviewers)?;
        let adjudicator = panel::adjudicator(&file.tally.adjudicator, &reviewers)?;
        let panels: BTreeMap<_, _> =
            file.panel.into_iter().map(|(name, panel)| (name, panel.reviewers)).collect();
        check::panels(&panels, &file.review.panel, &reviewers)?;
        let routes = panel::routes(file.route, &panels)?;
        Ok(Self {
            panel: file.review.panel,
            concurrency: NonZeroUsize::new(file.review.concurrency).unwrap_or(NonZeroUsize::MIN),
            max_cost_usd: file.review.max_cost_usd.map(max_cost).transpose()?,
            max_tokens: file.review.max_tokens,
            gate: gate::policy(file.gate)?,
            adjudicator,
            verify: file.tally.verify,
            limits: file.bundle.limits(),
            cut_declared: file.bundle.split.into(),
            context: file.bundle.context,
            include: file.bundle.include,
            exclude: file.bundle.exclude,
            components: file.component.into_iter().map(Into::into).collect(),
            system_prompt: optional_text(&file.prompt.system, stand_ins)?,
            user_prompt: optional_text(&file.prompt.user, stand_ins)?,
            guidance: file.guidance.enabled,
            guidance_bytes: file.guidance.bytes,
            guidance_rules: guidance_rules(file.guidance.rule, stand_ins)?,
            rules: named_texts(&file.rules.files, stand_ins)?,
            bundles_dir: file.paths.bundles,
            reviews_dir: file.paths.reviews,
            cache_dir: file.cache.dir,
            cache_bytes: file.cache.max_bytes,
            cache_age: Duration::from_hours(24) * file.cache.max_age_days,
            forge: forge(file.forge),
            post: file.post.into(),
            serve: Serve::new(file.serve)?,
            panels,
            routes,
            reviewers,
            times,
            prices,
            names_reviewers: false,
            files: Vec::new(),
        })
    }
}

fn forge(entry: file::Forge) -> ForgeSettings {
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    ForgeSettings {
        platform: entry.platform.into(),
        url: said(entry.url),
        project: said(entry.project),
        token_env: said(entry.token_env),
    }
}

fn max_cost(usd: f64) -> Result<f64, ConfigError> {
    if usd.is_finite() && usd >= 0.0 { Ok(usd) } else { Err(ConfigError::BadCost { usd }) }
}

fn optional_text(path: &Path, stand_ins: &StandIns<'_>) -> Result<Option<String>, ConfigError> {
    if path.as_os_str().is_empty() { Ok(None) } else { named(path, stand_ins).map(Some) }
}

fn guidance_rules(
    entries: Vec<file::GuidanceRule>,
    stand_ins: &StandIns<'_>,
) -> Result<Vec<GuidanceRule>, ConfigError> {
    let rule = |(number, entry): (usize, file::GuidanceRule)| {
        let name = format!("scrum.toml, guidance {number}");
        let text = match (entry.text, entry.file) {
            (Some(text), None) => text,
            (None, Some(file)) => named(&file, stand_ins)?,
            (Some(_), Some(_)) | (None, None) => return Err(ConfigError::GuidanceRule { number }),
        };
        Ok(GuidanceRule { paths: entry.paths, name, text })
    };
    (1..).zip(entries).map(rule).collect()
}

fn named_texts(paths: &[PathBuf], stand_ins: &StandIns<'_>) -> Result<Vec<(String, String)>, ConfigError> {
    paths.iter().map(|path| Ok((path.display().to_string(), named(path, stand_ins)?))).collect()
}

fn seconds(entry: Option<u64>, default: u64) -> Duration {
    Duration::from_secs(entry.unwrap_or(default).max(1))
}

#[cfg(test)]
mod tests;
