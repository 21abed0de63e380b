//! The form of `scrum.toml`: [`File`] mirrors it key by key.
//!
//! Each key's meaning and default stand in `default.toml`; turning entries into reviewers and rules is
//! `config`'s work.

mod serve;

use std::{collections::BTreeMap, fmt, num::NonZeroU32, path::PathBuf};

use serde::{
    Deserialize, Deserializer,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

pub(super) use self::serve::{Queue, Repository, Serve, Webhook};
use crate::{
    bundle::{CutDeclared, DeclaredComponent, Limits, context::Context},
    post::remarks::{self, Inline},
    pull::Platform,
    reviewer::{self, OutputForm, ReportFormat, Tree},
    tally::{Agreement, gate::FailOn},
};

/// A whole configuration file. Every table is closed: an unknown key is an error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) review: Review,
    pub(super) gate: Gate,
    pub(super) tally: Tally,
    pub(super) bundle: Bundle,
    pub(super) component: Vec<Component>,
    pub(super) prompt: Prompt,
    pub(super) guidance: Guidance,
    pub(super) rules: Rules,
    pub(super) paths: Paths,
    pub(super) cache: Cache,
    pub(super) forge: Forge,
    pub(super) post: Post,
    pub(super) serve: Serve,
    pub(super) price: Vec<ListedPrice>,
    pub(super) panel: BTreeMap<String, Panel>,
    pub(super) route: Vec<Route>,
    pub(super) reviewer: Vec<Reviewer>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Review {
    pub(super) panel: String,
    pub(super) concurrency: usize,
    pub(super) timeout_secs: u64,
    pub(super) idle_timeout_secs: u64,
    pub(super) max_cost_usd: Option<f64>,
    pub(super) max_tokens: Option<u64>,
    /// What `[gate]` says now; the layer is moved there before it is merged.
    pub(super) fail_on: Option<FailOn>,
    /// Likewise.
    pub(super) min_lineages: Option<usize>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Gate {
    pub(super) fail_on: FailOn,
    pub(super) agreement: Option<Agreement>,
    pub(super) min_agreeing: usize,
    pub(super) min_lineages: usize,
    /// Percent.
    pub(super) min_coverage: u64,
    pub(super) rule: Vec<GateRule>,
}

/// `[[gate.rule]]`; what it does not say is as in `[gate]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateRule {
    pub(super) paths: Vec<String>,
    pub(super) fail_on: FailOn,
    pub(super) agreement: Option<Agreement>,
    pub(super) min_agreeing: Option<usize>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tally {
    pub(super) adjudicator: String,
    pub(super) verify: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Bundle {
    pub(super) warn_bytes: usize,
    pub(super) fail_bytes: usize,
    pub(super) pack_bytes: usize,
    pub(super) split: SplitWord,
    pub(super) context: Context,
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) paths: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Prompt {
    pub(super) system: PathBuf,
    pub(super) user: PathBuf,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Guidance {
    pub(super) enabled: bool,
    pub(super) bytes: usize,
    pub(super) rule: Vec<GuidanceRule>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuidanceRule {
    pub(super) paths: Vec<String>,
    pub(super) text: Option<String>,
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Rules {
    pub(super) files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Paths {
    pub(super) bundles: PathBuf,
    pub(super) reviews: PathBuf,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Cache {
    pub(super) dir: PathBuf,
    pub(super) max_bytes: u64,
    pub(super) max_age_days: u32,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Forge {
    pub(super) platform: PlatformWord,
    pub(super) url: String,
    pub(super) project: String,
    pub(super) token_env: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Post {
    pub(super) inline: InlineWord,
    pub(super) inline_most: usize,
}

/// `[post] inline`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum InlineWord {
    None,
    Convergent,
    #[default]
    Block,
    Warn,
}

impl From<Post> for remarks::Rules {
    fn from(post: Post) -> Self {
        let inline = match post.inline {
            InlineWord::None => Inline::None,
            InlineWord::Convergent => Inline::Convergent,
            InlineWord::Block => Inline::Block,
            InlineWord::Warn => Inline::Warn,
        };
        Self { inline, most: post.inline_most }
    }
}

/// `[forge] platform`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PlatformWord {
    #[default]
    #[serde(rename = "")]
    Inferred,
    GitHub,
    GitLab,
    Gitea,
    Forgejo,
}

impl From<PlatformWord> for Option<Platform> {
    fn from(word: PlatformWord) -> Self {
        match word {
            PlatformWord::Inferred => None,
            PlatformWord::GitHub => Some(Platform::GitHub),
            PlatformWord::GitLab => Some(Platform::GitLab),
            PlatformWord::Gitea | PlatformWord::Forgejo => Some(Platform::Gitea),
        }
    }
}

/// `[panel.NAME]`, or `NAME = […]` below `[panel]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Panel {
    pub(super) reviewers: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PanelTable {
    reviewers: Vec<String>,
}

impl<'de> Deserialize<'de> for Panel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PanelVisitor)
    }
}

struct PanelVisitor;

impl<'de> Visitor<'de> for PanelVisitor {
    type Value = Panel;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of reviewers, or a table with one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Panel, A::Error> {
        let reviewers = Deserialize::deserialize(SeqAccessDeserializer::new(list))?;
        Ok(Panel { reviewers })
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Panel, A::Error> {
        let PanelTable { reviewers } = Deserialize::deserialize(MapAccessDeserializer::new(table))?;
        Ok(Panel { reviewers })
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    #[serde(default)]
    pub(super) paths: Vec<String>,
    pub(super) min_bytes: Option<usize>,
    pub(super) max_bytes: Option<usize>,
    pub(super) panel: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reviewer {
    pub(super) id: String,
    #[expect(dead_code, reason = "`preset` reads it before the entry has this form")]
    pub(super) preset: Option<String>,
    pub(super) provider: Option<Provider>,
    pub(super) model: Option<String>,
    pub(super) lineage: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) api_key_env: Option<String>,
    pub(super) command: Option<Vec<String>>,
    #[serde(default)]
    pub(super) args: Vec<String>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) pass_env: Vec<String>,
    pub(super) output: Option<OutputForm>,
    pub(super) work_dir: Option<PathBuf>,
    pub(super) dir: Option<PathBuf>,
    pub(super) temperature: Option<f32>,
    pub(super) max_output_tokens: Option<u32>,
    pub(super) key_header: Option<String>,
    pub(super) output_limit: Option<OutputLimit>,
    #[serde(default)]
    pub(super) leave_out: LeaveOut,
    pub(super) timeout_secs: Option<u64>,
    pub(super) idle_timeout_secs: Option<u64>,
    pub(super) price: Option<Price>,
    #[serde(default)]
    pub(super) fallback: Vec<String>,
    pub(super) requests_per_minute: Option<NonZeroU32>,
    pub(super) tokens_per_minute: Option<NonZeroU32>,
    pub(super) report: Option<PathBuf>,
    pub(super) format: Option<ReportFormat>,
    #[serde(default)]
    pub(super) paths: Vec<String>,
    #[serde(default)]
    pub(super) finding_exits: Vec<i32>,
    pub(super) run_in: Option<String>,
    pub(super) tree: Option<Tree>,
    pub(super) levels: Option<Levels>,
    #[serde(default)]
    pub(super) runs_repository_code: bool,
}

/// How bad findings of a static tool's levels are.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Levels {
    pub(super) error: Option<SeverityWord>,
    pub(super) warning: Option<SeverityWord>,
    pub(super) note: Option<SeverityWord>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum SeverityWord {
    Block,
    Warn,
    Info,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    pub(super) input: f64,
    pub(super) output: f64,
    pub(super) cached_input: Option<f64>,
    pub(super) cache_write: Option<f64>,
}

/// `[[price]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedPrice {
    pub(super) models: Vec<String>,
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    pub(super) input: f64,
    pub(super) output: f64,
    pub(super) cached_input: Option<f64>,
    pub(super) cache_write: Option<f64>,
    pub(super) as_of: Option<toml::value::Datetime>,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever checks the list"))]
    pub(super) source: Option<String>,
}

/// Patterns of the models that do not take a part of the request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LeaveOut {
    pub(super) temperature: Vec<String>,
    pub(super) stream_options: Vec<String>,
    pub(super) system: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutputLimit {
    MaxTokens,
    MaxCompletionTokens,
}

impl From<OutputLimit> for reviewer::OutputLimit {
    fn from(word: OutputLimit) -> Self {
        match word {
            OutputLimit::MaxTokens => Self::MaxTokens,
            OutputLimit::MaxCompletionTokens => Self::MaxCompletionTokens,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Provider {
    OpenAi,
    Anthropic,
    Command,
    Replay,
    Sarif,
    Builtin,
}

/// `[bundle] split`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SplitWord {
    #[default]
    Inferred,
    Always,
}

impl Bundle {
    pub(super) fn limits(&self) -> Limits {
        let Self { warn_bytes, fail_bytes, pack_bytes, .. } = *self;
        Limits { warn_bytes, fail_bytes, pack_bytes }
    }
}

impl From<Component> for DeclaredComponent {
    fn from(Component { name, paths }: Component) -> Self {
        Self { name, paths }
    }
}

impl From<SplitWord> for CutDeclared {
    fn from(word: SplitWord) -> Self {
        match word {
            SplitWord::Inferred => Self::Never,
            SplitWord::Always => Self::Always,
        }
    }
}
