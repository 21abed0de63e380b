//! From configuration entries to a panel: [`reviewers`] checks the entries, [`Config::seats`] chooses who is asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use globset::Glob;
use http::HeaderName;
use secrecy::SecretString;

use super::{
    Config, ConfigError, LONGEST_SECS, PanelError, Route, analyser, env::Environment, error::nearest, file,
    invocation, prices::PriceList, seconds,
};
use crate::{
    bundle::route::RouteRule,
    judge,
    reviewer::{
        Access, Allowance, Builtin, Lineage, Panel, Parameter, Quirks, ReportSource, Reviewer, ReviewerId,
        Seat,
    },
    tally::lineage,
};

/// Which reviewers somebody asked for.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// `--panel`.
    pub panel: Option<String>,
    /// `-r`, repeated; overrides the panel.
    pub reviewers: Vec<String>,
}

/// The chosen reviewers with their keys, and those that lack one.
#[derive(Debug, Default)]
pub struct Seats {
    /// Reviewers that can be asked, each with its key.
    pub usable: Vec<(Reviewer, Option<SecretString>)>,
    /// Reviewers that cannot be asked themselves, while somebody can in their place.
    pub substituted: Vec<SkippedSeat>,
    /// Reviewers that cannot, and nobody in their place.
    pub skipped: Vec<SkippedSeat>,
    /// Who may be asked in whose place, best first, each with its key.
    pub stand_ins: BTreeMap<ReviewerId, Vec<(Reviewer, Option<SecretString>)>>,
}

/// A reviewer that was chosen and cannot be asked.
#[derive(Debug, Clone)]
pub struct SkippedSeat {
    /// The reviewer.
    pub reviewer: Reviewer,
    /// Why.
    pub obstacle: Obstacle,
}

/// What keeps a reviewer from being asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Its key is not there.
    #[error("{variable} is not set")]
    NoKey {
        /// The variable that should hold it.
        variable: String,
    },
    /// The change under review decides what it would run or read.
    #[error("{path} comes with the change under review")]
    Tampered {
        /// The program, an argument or the folder of replies, as configured.
        path: String,
    },
}

impl Seats {
    /// All seats, usable and skipped, as the run's panel.
    pub fn panel(&self) -> Panel {
        let usable = self.usable.iter().map(|(reviewer, _)| reviewer);
        let others = self.substituted.iter().chain(&self.skipped).map(|seat| &seat.reviewer);
        Panel { reviewers: usable.chain(others).map(Seat::from).collect() }
    }

    /// For each reviewer that cannot be asked itself, who is asked in its place and why.
    pub fn in_place(&self) -> BTreeMap<ReviewerId, (Reviewer, String)> {
        let first = |seat: &SkippedSeat| {
            let (stand_in, _) = self.stand_ins.get(&seat.reviewer.id)?.first()?;
            Some((seat.reviewer.id.clone(), (stand_in.clone(), seat.obstacle.to_string())))
        };
        self.substituted.iter().filter_map(first).collect()
    }

    /// Whether the offline reviewer `which` is among those that can be asked.
    pub fn asks(&self, which: Builtin) -> bool {
        let voices = self.usable.iter().chain(self.stand_ins.values().flatten());
        voices.into_iter().any(|(reviewer, _)| reviewer.access == Access::Builtin(which))
    }

    /// The reviewers that can be asked, be it through somebody in their place.
    pub fn usable_reviewers(&self) -> Vec<Reviewer> {
        self.answerable().cloned().collect()
    }

    fn answerable(&self) -> impl Iterator<Item = &Reviewer> {
        let usable = self.usable.iter().map(|(reviewer, _)| reviewer);
        usable.chain(self.substituted.iter().map(|seat| &seat.reviewer))
    }

    /// Distinct lineages that can be asked.
    pub fn usable_lineages(&self) -> usize {
        self.answerable().map(|reviewer| &reviewer.lineage).collect::<BTreeSet<_>>().len()
    }
}

/// The panel of every reviewer there is.
pub const AUTO: &str = "auto";
/// The panel that `reviewers` right below `[panel]` makes.
const UNNAMED: &str = "default";

/// Gives every panel of a file the form of a table. One without a name is asked where the file names no other.
pub(super) fn take_over(table: &mut toml::Table) {
    let Some(panels) = table.get_mut("panel").and_then(toml::Value::as_table_mut) else { return };
    for (_, panel) in panels.iter_mut().filter(|(_, panel)| panel.is_array()) {
        *panel = toml::Table::from_iter([("reviewers".to_owned(), panel.clone())]).into();
    }
    if let Some(unnamed) = panels.remove("reviewers") {
        panels.insert(UNNAMED.to_owned(), unnamed);
        let review = table.entry("review").or_insert_with(|| toml::Table::new().into());
        review.as_table_mut().map(|review| review.entry("panel").or_insert_with(|| UNNAMED.into()));
    }
}

impl Choice {
    /// Whether somebody said who is to be asked, so that no rule of the configuration chooses.
    pub fn is_made(&self) -> bool {
        self.panel.is_some() || !self.reviewers.is_empty()
    }
}

impl Config {
    /// The reviewers of `choice`, with keys from the environment.
    ///
    /// A reviewer without its key is skipped as long as others with `min_lineages` distinct lineages remain; otherwise
    /// the error names every missing variable.
    pub fn seats(
        &self,
        choice: &Choice,
        min_lineages: usize,
        environment: Environment,
    ) -> Result<Seats, PanelError> {
        self.seated(self.chosen(choice)?, min_lineages, environment)
    }

    /// `chosen` with their keys; see [`seats`](Self::seats).
    pub fn seated(
        &self,
        chosen: Vec<Reviewer>,
        min_lineages: usize,
        environment: Environment,
    ) -> Result<Seats, PanelError> {
        let mut seats = Seats::default();
        for reviewer in chosen {
            let stand_ins = self.stand_ins_with_keys(&reviewer, environment);
            match key_of(&reviewer, environment) {
                Ok(key) => seats.usable.push((reviewer.clone(), key)),
                Err(obstacle) => {
                    let lacking =
                        if stand_ins.is_empty() { &mut seats.skipped } else { &mut seats.substituted };
                    lacking.push(SkippedSeat { reviewer: reviewer.clone(), obstacle });
                }
            }
            seats.stand_ins.insert(reviewer.id, stand_ins);
        }
        if !seats.skipped.is_empty() && seats.usable_lineages() < min_lineages.max(1) {
            let name = |seat: &SkippedSeat| (seat.reviewer.id.to_string(), seat.obstacle.clone());
            return Err(PanelError::Unusable { unusable: seats.skipped.iter().map(name).collect() });
        }
        Ok(seats)
    }

    /// The stand-ins of `reviewer` that can be asked, with their keys.
    pub fn stand_ins_with_keys(
        &self,
        reviewer: &Reviewer,
        environment: Environment,
    ) -> Vec<(Reviewer, Option<SecretString>)> {
        let stand_ins = self.stand_ins(reviewer).into_iter();
        stand_ins.filter_map(|one| Some((one.clone(), key_of(one, environment).ok()?))).collect()
    }

    /// The reviewers of `choice`, whether or not they can be asked.
    pub fn chosen(&self, choice: &Choice) -> Result<Vec<Reviewer>, PanelError> {
        if !choice.reviewers.is_empty() {
            return self.by_ids(&choice.reviewers);
        }
        self.on_panel(choice.panel.as_ref().unwrap_or(&self.panel))
    }

    /// The reviewers of the panel `name`.
    pub fn on_panel(&self, name: &str) -> Result<Vec<Reviewer>, PanelError> {
        match self.panels.get(name) {
            Some(ids) => self.by_ids(ids),
            // A stand-in would otherwise be asked twice: for itself and for whom it stands in.
            None if name == AUTO => {
                Ok(self.reviewers.iter().filter(|one| !self.is_stand_in(one)).cloned().collect())
            }
            None => Err(PanelError::NoSuchPanel {
                name: name.to_owned(),
                known: std::iter::once(AUTO.to_owned()).chain(self.panels.keys().cloned()).collect(),
            }),
        }
    }

    fn by_ids(&self, ids: &[String]) -> Result<Vec<Reviewer>, PanelError> {
        let mut chosen: Vec<Reviewer> = Vec::new();
        for id in ids {
            let found = self.reviewers.iter().find(|reviewer| reviewer.id.as_str() == id);
            let found = found.ok_or_else(|| PanelError::NoSuchReviewer {
                id: id.clone(),
                known: self.reviewers.iter().map(|reviewer| reviewer.id.to_string()).collect(),
            })?;
            if !chosen.contains(found) {
                chosen.push(found.clone());
            }
        }
        Ok(chosen)
    }
}

/// The key of `reviewer` where it needs one, or why it must not be asked.
pub fn key_of(reviewer: &Reviewer, environment: Environment) -> Result<Option<SecretString>, Obstacle> {
    if let Some(path) = &reviewer.tampered {
        return Err(Obstacle::Tampered { path: path.clone() });
    }
    match &reviewer.access {
        Access::OpenAi { api_key_env: Some(variable), .. }
        | Access::Anthropic { api_key_env: Some(variable), .. } => {
            let no_key = || Obstacle::NoKey { variable: variable.clone() };
            environment.secret(variable).map(Some).ok_or_else(no_key)
        }
        // A program that finds its key missing may be logged in, and is handed its variables when it is started.
        Access::OpenAi { api_key_env: None, .. }
        | Access::Anthropic { api_key_env: None, .. }
        | Access::Command(_)
        | Access::Replay { .. }
        | Access::Sarif(_)
        | Access::Builtin(_) => Ok(None),
    }
}

/// Checks the entries; `times` are the total and idle time limits in seconds where an entry gives none, `prices` lists those of models.
pub(super) fn reviewers(
    entries: Vec<file::Reviewer>,
    times: (u64, u64),
    prices: &PriceList,
) -> Result<Vec<Reviewer>, ConfigError> {
    let mut all: Vec<Reviewer> = Vec::new();
    for entry in entries {
        let mut reviewer = reviewer(&entry, times)?;
        reviewer.price = prices.of(&reviewer, own_price(&entry)?);
        if all.iter().any(|other| other.id == reviewer.id) {
            return Err(wrong(reviewer.id.as_str(), "is configured twice"));
        }
        all.push(reviewer);
    }
    Ok(all)
}

/// The reviewer named `id`, who must hold opinions; none when nobody is named.
pub(super) fn adjudicator(id: &str, reviewers: &[Reviewer]) -> Result<Option<Reviewer>, ConfigError> {
    if id.is_empty() {
        return Ok(None);
    }
    let Some(found) = reviewers.iter().find(|reviewer| reviewer.id.as_str() == id) else {
        let known: Vec<String> = reviewers.iter().map(|reviewer| reviewer.id.to_string()).collect();
        let suggestion = nearest(id, known.iter().map(String::as_str)).map(str::to_owned);
        return Err(ConfigError::NoSuchAdjudicator { id: id.to_owned(), suggestion, known });
    };
    if !judge::can_judge(&found.into()) {
        return Err(wrong(id, "holds no opinion on others' findings and cannot be `tally.adjudicator`"));
    }
    Ok(Some(found.clone()))
}

/// Checks the rules that choose panels out of `panels`.
pub(super) fn routes(
    entries: Vec<file::Route>,
    panels: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Route>, ConfigError> {
    entries.into_iter().enumerate().map(|(at, entry)| route(at + 1, entry, panels)).collect()
}

fn route(
    number: usize,
    entry: file::Route,
    panels: &BTreeMap<String, Vec<String>>,
) -> Result<Route, ConfigError> {
    let wrong = |reason: String| ConfigError::Route { number, reason, suggestion: None };
    let file::Route { paths, min_bytes, max_bytes, panel } = entry;
    if panel != AUTO && !panels.contains_key(&panel) {
        let known = panels.keys().map(String::as_str).chain([AUTO]);
        let suggestion = nearest(&panel, known).map(str::to_owned);
        return Err(ConfigError::Route { number, reason: format!("no panel named {panel:?}"), suggestion });
    }
    if paths.is_empty() && min_bytes.is_none() && max_bytes.is_none() {
        return Err(wrong("needs `paths`, `min_bytes` or `max_bytes`".to_owned()));
    }
    if let (Some(least), Some(most)) = (min_bytes, max_bytes)
        && least > most
    {
        return Err(wrong(format!("min_bytes is {least}, more than max_bytes, {most}")));
    }
    Ok(Route { rule: RouteRule { paths, min_bytes, max_bytes }, panel })
}

fn reviewer(entry: &file::Reviewer, times: (u64, u64)) -> Result<Reviewer, ConfigError> {
    let id = ReviewerId::new(&entry.id)?;
    let access = access(entry)?;
    let model = model(entry, &access)?;
    if entry.temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
        return Err(wrong(&entry.id, "temperature must be from 0.0 to 2.0"));
    }
    check_amounts(entry)?;
    let lineage = match (&entry.lineage, &access) {
        (Some(name), _) => Lineage::new(name),
        (None, Access::Builtin(Builtin::Rules)) => Lineage::new("static:rules"),
        (None, Access::Builtin(Builtin::History)) => Lineage::history(),
        (None, Access::Sarif(_)) => Lineage::new(&format!("static:{model}")),
        (None, _) => lineage::of(&model),
    };
    let total = seconds(entry.timeout_secs, times.0);
    let idle = if is_heard_while_working(&access) { seconds(None, times.1) } else { total };
    Ok(Reviewer {
        temperature: entry.temperature,
        max_output_tokens: entry.max_output_tokens,
        timeout: total,
        idle_timeout: entry.idle_timeout_secs.map_or(idle, Duration::from_secs),
        fallback: entry.fallback.iter().map(|id| ReviewerId::new(id)).collect::<Result<_, _>>()?,
        allowance: Allowance {
            requests_per_minute: entry.requests_per_minute,
            tokens_per_minute: entry.tokens_per_minute,
        },
        quirks: quirks(entry, &model)?,
        ..Reviewer::new(id, access, model, lineage)
    })
}

/// Nothing can be said in no tokens or no time.
fn check_amounts(entry: &file::Reviewer) -> Result<(), ConfigError> {
    let [output, total, idle] =
        [entry.max_output_tokens.map(u64::from), entry.timeout_secs, entry.idle_timeout_secs];
    for (key, value, most) in [
        ("max_output_tokens", output, u64::from(u32::MAX)),
        ("timeout_secs", total, LONGEST_SECS),
        ("idle_timeout_secs", idle, LONGEST_SECS),
    ] {
        if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
            return Err(wrong(&entry.id, &format!("{key} is {value}, it must be from 1 to {most}")));
        }
    }
    // Whoever put the key itself there must not find it in a message.
    let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if entry.api_key_env.as_ref().is_some_and(|name| name.is_empty() || !is_name(name)) {
        let reason = "api_key_env must be the name of an environment variable, such as \"OPENROUTER_API_KEY\", never the key itself";
        return Err(wrong(&entry.id, reason));
    }
    Ok(())
}

fn quirks(entry: &file::Reviewer, model: &str) -> Result<Quirks, ConfigError> {
    let key_header = entry.key_header.clone();
    if key_header.as_ref().is_some_and(|name| HeaderName::from_bytes(name.as_bytes()).is_err()) {
        return Err(wrong(&entry.id, "key_header must be the name of an HTTP header, such as `api-key`"));
    }
    let mut without = BTreeSet::new();
    for (parameter, models) in [
        (Parameter::Temperature, &entry.leave_out.temperature),
        (Parameter::StreamOptions, &entry.leave_out.stream_options),
        (Parameter::System, &entry.leave_out.system),
    ] {
        if is_among(model, models).map_err(|error| wrong(&entry.id, &format!("leave_out: {error}")))? {
            without.insert(parameter);
        }
    }
    Ok(Quirks { key_header, output_limit: entry.output_limit.map(Into::into).unwrap_or_default(), without })
}

/// Whether one of the patterns fits the whole name.
fn is_among(model: &str, patterns: &[String]) -> Result<bool, globset::Error> {
    for pattern in patterns {
        if Glob::new(pattern)?.compile_matcher().is_match(model) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn own_price(entry: &file::Reviewer) -> Result<Option<file::Price>, ConfigError> {
    match entry.price {
        Some(price) if !price.is_possible() => {
            Err(wrong(&entry.id, "a price must be 0 or more US dollars per million tokens"))
        }
        price => Ok(price),
    }
}

/// Programs often print only at their end, and the built-in reviewers always do: their silence means nothing.
fn is_heard_while_working(access: &Access) -> bool {
    match access {
        Access::OpenAi { .. } | Access::Anthropic { .. } => true,
        Access::Command(_) | Access::Replay { .. } | Access::Sarif(_) | Access::Builtin(_) => false,
    }
}

fn model(entry: &file::Reviewer, access: &Access) -> Result<String, ConfigError> {
    match (&entry.model, access) {
        (Some(model), _) => Ok(model.clone()),
        (None, Access::Command(invocation)) => Ok(program_name(&invocation.argv)),
        (None, Access::Replay { .. }) => Ok(entry.id.clone()),
        (None, Access::Sarif(analyser)) => Ok(match &analyser.source {
            ReportSource::Program(program) => program_name(&program.argv),
            ReportSource::File(_) => entry.id.clone(),
        }),
        (None, Access::OpenAi { .. } | Access::Anthropic { .. } | Access::Builtin(_)) => {
            Err(wrong(&entry.id, "needs a `model`"))
        }
    }
}

fn program_name(argv: &[String]) -> String {
    let program = argv.first().map(String::as_str).unwrap_or_default();
    program.rsplit('/').next().unwrap_or(program).to_owned()
}

fn access(entry: &file::Reviewer) -> Result<Access, ConfigError> {
    let provider = entry.provider.ok_or_else(|| wrong(&entry.id, "needs a `provider` or a `preset`"))?;
    reject_foreign_keys(entry, provider)?;
    match provider {
        file::Provider::OpenAi => {
            Ok(Access::OpenAi { base_url: base_url(entry)?, api_key_env: entry.api_key_env.clone() })
        }
        file::Provider::Anthropic => {
            Ok(Access::Anthropic { base_url: base_url(entry)?, api_key_env: entry.api_key_env.clone() })
        }
        file::Provider::Command => Ok(Access::Command(invocation::of(entry)?)),
        file::Provider::Replay => {
            let dir = entry.dir.clone().ok_or_else(|| wrong(&entry.id, "needs a `dir`"))?;
            Ok(Access::Replay { dir })
        }
        file::Provider::Sarif => Ok(Access::Sarif(Box::new(analyser::analyser(entry)?))),
        file::Provider::Builtin => match entry.model.as_deref() {
            Some("rules") => Ok(Access::Builtin(Builtin::Rules)),
            Some("history") => Ok(Access::Builtin(Builtin::History)),
            _ => Err(wrong(&entry.id, "model must be `rules` or `history`")),
        },
    }
}

fn base_url(entry: &file::Reviewer) -> Result<String, ConfigError> {
    let base_url = entry.base_url.clone().unwrap_or_default();
    if !base_url.starts_with("http://") && !base_url.starts_with("https://") {
        return Err(wrong(&entry.id, "base_url must start with http:// or https://"));
    }
    if base_url.contains('{') {
        let reason = format!(
            "needs a `base_url` of your own, such as {base_url:?} with your words in place of those in braces"
        );
        return Err(wrong(&entry.id, &reason));
    }
    Ok(base_url)
}

/// A key that its provider does not use is a mistake, not a wish to be ignored.
fn reject_foreign_keys(entry: &file::Reviewer, provider: file::Provider) -> Result<(), ConfigError> {
    let is_chat = matches!(provider, file::Provider::OpenAi);
    let is_http = is_chat || matches!(provider, file::Provider::Anthropic);
    let is_command = matches!(provider, file::Provider::Command);
    let is_replay = matches!(provider, file::Provider::Replay);
    let is_sarif = matches!(provider, file::Provider::Sarif);
    let given = [
        ("base_url", entry.base_url.is_some(), is_http),
        ("api_key_env", entry.api_key_env.is_some(), is_http || is_command),
        ("temperature", entry.temperature.is_some(), is_http),
        ("max_output_tokens", entry.max_output_tokens.is_some(), is_http),
        ("key_header", entry.key_header.is_some(), is_http),
        ("output_limit", entry.output_limit.is_some(), is_chat),
        ("command", entry.command.is_some(), is_command || is_sarif),
        ("args", !entry.args.is_empty(), is_command),
        ("env", !entry.env.is_empty(), is_command || is_sarif),
        ("pass_env", !entry.pass_env.is_empty(), is_command || is_sarif),
        ("output", entry.output.is_some(), is_command),
        ("work_dir", entry.work_dir.is_some(), is_command),
        ("dir", entry.dir.is_some(), is_replay),
    ];
    let given = given.into_iter().chain(analyser::keys(entry).map(|(key, present)| (key, present, is_sarif)));
    let mut foreign = given.filter(|(_, present, used)| *present && !used);
    match foreign.next() {
        Some((key, ..)) => Err(wrong(&entry.id, &format!("`{key}` means nothing to its provider"))),
        None => Ok(()),
    }
}

pub(super) fn wrong(id: &str, reason: &str) -> ConfigError {
    ConfigError::Reviewer { id: id.to_owned(), reason: reason.to_owned() }
}
