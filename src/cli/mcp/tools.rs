//! The tools as clients see them: names, words, arguments, hints. [`all`] lists them.

use rmcp::{
    handler::server::tool::schema_for_type,
    model::{Tool, ToolAnnotations},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::report::formats::brief::Brief;

pub(super) const REVIEW: &str = "review";
pub(super) const TALLY: &str = "tally";
pub(super) const EXPLAIN: &str = "explain";
pub(super) const DISPOSE: &str = "dispose";

/// Issues that a tally shows when nobody asks for more.
pub(super) const ISSUES_SHOWN: usize = 20;

/// What to review, and whom to ask.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Review {
    /// `A..B`, `A...B` (from the merge base) or one commit. Without it: from the merge base with the default branch to HEAD; on that branch, the last commit
    pub(super) range: Option<String>,
    /// Review what is staged, against HEAD
    pub(super) staged: bool,
    /// Review the work tree with untracked files, against HEAD: what you wrote and did not commit yet
    pub(super) worktree: bool,
    /// Ask this panel: `auto`, `offline` (no model, nothing leaves the machine), or a name from scrum.toml
    pub(super) panel: Option<String>,
    /// Ask these reviewers instead of a panel
    pub(super) reviewers: Vec<String>,
    /// Only these components
    pub(super) components: Vec<String>,
    /// Only paths that match one of these globs
    pub(super) include: Vec<String>,
    /// Leave out paths that match; the tally lists them as left out
    pub(super) exclude: Vec<String>,
    /// Go on with this interrupted run instead
    pub(super) resume: Option<String>,
}

/// Which run, and how much of it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TallyOf {
    /// A run id, a prefix of one, a path, or `latest` (the default)
    pub(super) run: Option<String>,
    /// Open issues to pass over
    pub(super) skip: usize,
    /// Most issues to show; 20 without it
    pub(super) issues: Option<usize>,
}

/// Which issue.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Explain {
    /// A run id, a prefix of one, a path, or `latest` (the default)
    #[serde(default)]
    pub(super) run: Option<String>,
    /// The id of an issue, or the beginning of one
    pub(super) issue: String,
}

/// What a human is asked to decide.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dispose {
    /// A run id, a prefix of one, a path, or `latest` (the default)
    #[serde(default)]
    pub(super) run: Option<String>,
    /// The id of an issue, or the beginning of one
    pub(super) issue: String,
    /// `real`, `false` (not true), `wontfix` (true, but stays so), or `undecided` to take a decision back
    pub(super) decision: Word,
    /// Your reason; the human reads it and it is kept
    pub(super) why: String,
}

/// The words for decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    /// True, and to be repaired
    Real,
    /// Not true
    False,
    /// True, and nobody will repair it
    WontFix,
    /// An earlier decision is taken back
    Undecided,
}

/// Every tool.
pub(super) fn all() -> Vec<Tool> {
    let hints = ToolAnnotations::with_title;
    let tool = |name, words, schema| Tool::new(name, words, schema);
    vec![
        tool(REVIEW, REVIEW_WORDS, schema_for_type::<Review>())
            .with_output_schema::<Brief>()
            .with_annotations(hints("Review a change").read_only(false).destructive(false).open_world(true)),
        tool(TALLY, TALLY_WORDS, schema_for_type::<TallyOf>())
            .with_output_schema::<Brief>()
            .with_annotations(hints("Read a saved review").read_only(true).open_world(false)),
        tool(EXPLAIN, EXPLAIN_WORDS, schema_for_type::<Explain>())
            .with_annotations(hints("Explain an issue").read_only(true).open_world(false)),
        tool(DISPOSE, DISPOSE_WORDS, schema_for_type::<Dispose>()).with_annotations(
            hints("Ask a human to decide about an issue")
                .read_only(false)
                .destructive(true)
                .idempotent(true)
                .open_world(false),
        ),
    ]
}

const REVIEW_WORDS: &str = "Ask the panel to review a change of this repository and tally what it finds. Takes from seconds to many \
minutes, tells progress, and can be cancelled: what was answered until then is saved. The limits on size and cost and the masking of \
secrets are those of `scrum review` here; a tool cannot raise them. May send the change to the configured models.";
const TALLY_WORDS: &str =
    "Read the tally of a saved review: verdict, coverage and open issues, the best supported first.";
const EXPLAIN_WORDS: &str = "Why findings are one issue: what each reviewer said, which rule joined or parted them, what others answered \
about the claims.";
const DISPOSE_WORDS: &str = "Ask the human at this client to decide about an issue. Nothing is decided without them: where the client \
cannot ask, the tool says which command a human runs.";
