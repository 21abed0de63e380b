//! The shapes of what `scrum eval --format json` writes: [`EvalDocument`] is schema `scrum.eval/1`, published in
//! `schema/eval.schema.json`. Filling them is `json`'s work.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::wire::AgreementWord;

/// What a panel is worth on labelled data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "scrum.eval/1")]
pub(super) struct EvalDocument {
    /// Always `scrum.eval/1`.
    pub(super) schema: EvalSchema,
    /// Changes scored.
    pub(super) cases: usize,
    /// True issues in them.
    pub(super) true_issues: usize,
    /// Some cases have no list of true issues: theirs are those that labelled findings name, and recall is of these.
    pub(super) relative: bool,
    /// Standing findings of the panel.
    pub(super) findings: usize,
    /// Those of them that nobody judged; they count neither for nor against.
    pub(super) unjudged: usize,
    /// Labels whose finding stands in none of the saved replies.
    pub(super) unread: usize,
    /// True findings of the panel, of those judged.
    pub(super) precision: Proportion,
    /// True issues that anybody on the panel found.
    pub(super) recall: Proportion,
    /// Each reviewer, by id.
    pub(super) reviewers: Vec<ReviewerEntry>,
    /// Each lineage, by name.
    pub(super) lineages: Vec<LineageEntry>,
    /// How often issues are true, by what lineages agree on and how many do.
    pub(super) agreement: Vec<LevelEntry>,
    /// Issues on which lineages agree, against issues of one lineage.
    pub(super) contrasts: Vec<ContrastEntry>,
    /// What each further lineage adds to recall.
    pub(super) gains: GainsEntry,
}

/// Name and version of the document's schema.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(super) enum EvalSchema {
    /// The only one so far.
    #[serde(rename = "scrum.eval/1")]
    One,
}

/// A share of a count with its 95 % Wilson interval.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Proportion {
    /// How many have the property.
    pub(super) hits: usize,
    /// How many there are.
    pub(super) of: usize,
    /// `hits / of`, 0.0–1.0; null of nothing.
    pub(super) share: Option<f64>,
    /// Lower end of the interval.
    pub(super) low: f64,
    /// Upper end.
    pub(super) high: f64,
}

/// A figure with its 95 % interval by bootstrap over cases.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Estimate {
    /// The figure.
    pub(super) value: f64,
    /// Lower end of the interval; null with fewer than five cases that have anything to say.
    pub(super) low: Option<f64>,
    /// Upper end.
    pub(super) high: Option<f64>,
}

/// What one reviewer is worth.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ReviewerEntry {
    /// Its id.
    pub(super) reviewer: String,
    /// The family it counts as.
    pub(super) lineage: String,
    /// Its figures.
    #[serde(flatten)]
    pub(super) worth: Worth,
}

/// What one lineage is worth.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LineageEntry {
    /// Its name.
    pub(super) lineage: String,
    /// Its figures.
    #[serde(flatten)]
    pub(super) worth: Worth,
}

/// Precision and recall.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Worth {
    /// Cases with at least one whole reply.
    pub(super) cases_answered: usize,
    /// Standing findings, judged or not.
    pub(super) findings: usize,
    /// True findings of those judged.
    pub(super) precision: Proportion,
    /// True issues found, of those of all cases.
    pub(super) recall: Proportion,
    /// True issues that nobody else on the panel found, of those that anybody found.
    pub(super) alone: Proportion,
}

/// Issues on which as many lineages agree in the same way.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LevelEntry {
    /// What they agree on.
    pub(super) agreement: AgreementWord,
    /// How many lineages.
    pub(super) lineages: usize,
    /// Issues with a true finding, of those judged.
    pub(super) issues: Proportion,
    /// What that share would be if the true findings of each case were dealt out at random; null without issues.
    pub(super) by_chance: Option<f64>,
    /// True findings of those judged in these issues.
    pub(super) findings: Proportion,
    /// Pairs of true findings of two lineages in these issues that are one true issue, of all such pairs; known only from lists of
    /// true issues.
    pub(super) pairs: Proportion,
}

/// Differences of shares between issues of several lineages and of one.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ContrastEntry {
    /// On what two lineages or more agree.
    pub(super) agreement: AgreementWord,
    /// Of issues with a true finding; null without such issues.
    pub(super) issues: Option<Estimate>,
    /// Of those over what chance gives issues of their size.
    pub(super) beyond_chance: Option<Estimate>,
    /// Of true findings.
    pub(super) findings: Option<Estimate>,
}

/// What each further lineage adds to recall.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct GainsEntry {
    /// Mean over all panels of one, two, … lineages.
    pub(super) by_size: Vec<StepEntry>,
    /// The best lineage first, then the one that adds most to it, and so on.
    pub(super) greedy: Vec<AddedEntry>,
    /// What each lineage adds on average over all orders; the sum is the recall of all.
    pub(super) shapley: Vec<ShapleyEntry>,
}

/// Panels of one size.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StepEntry {
    /// Lineages on them.
    pub(super) lineages: usize,
    /// Mean recall.
    pub(super) recall: Estimate,
    /// Over panels of one lineage less.
    pub(super) gain: Estimate,
}

/// A lineage added to those before it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AddedEntry {
    /// Which.
    pub(super) lineage: String,
    /// Recall with it.
    pub(super) recall: Proportion,
    /// True issues that nobody before it found.
    pub(super) new: usize,
}

/// What one lineage adds.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShapleyEntry {
    /// Which.
    pub(super) lineage: String,
    /// Proportion of the true issues, 0.0–1.0.
    pub(super) gain: f64,
}
