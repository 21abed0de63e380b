//! Writes [`Scores`] as a `scrum.eval/1` document: [`render`].
//!
//! The shapes are in `wire`. Figures are rounded to four places.

use schemars::{Schema, generate::SchemaSettings};

use super::wire;
use crate::{
    eval::{self, Contrast, Level, Scores},
    proportion::Proportion,
    report::json::{agreement_word, pretty},
};

/// The scores as an indented document with a final newline.
pub fn render(scores: &Scores) -> String {
    pretty(&wire::EvalDocument {
        schema: wire::EvalSchema::One,
        cases: scores.cases,
        true_issues: scores.real,
        relative: scores.relative,
        findings: scores.findings,
        unjudged: scores.unjudged,
        unread: scores.unread,
        precision: share(scores.precision),
        recall: share(scores.recall),
        reviewers: scores.reviewers.iter().map(reviewer).collect(),
        lineages: scores.lineages.iter().map(lineage).collect(),
        agreement: scores.agreement.iter().map(level).collect(),
        contrasts: scores.contrasts.iter().map(contrast).collect(),
        gains: gains(&scores.gains),
    })
}

/// The JSON Schema (2020-12) of `scrum.eval/1` documents.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<wire::EvalDocument>()
}

/// Nothing is never negative: a sum of no figures is -0.0.
fn rounded(figure: f64) -> f64 {
    (figure * 10_000.0).round() / 10_000.0 + 0.0
}

fn share(proportion: Proportion) -> wire::Proportion {
    let (low, high) = proportion.wilson();
    wire::Proportion {
        hits: proportion.hits,
        of: proportion.of,
        share: proportion.share().map(rounded),
        low: rounded(low),
        high: rounded(high),
    }
}

fn estimate(estimate: eval::Estimate) -> wire::Estimate {
    wire::Estimate {
        value: rounded(estimate.value),
        low: estimate.interval.map(|(low, _)| rounded(low)),
        high: estimate.interval.map(|(_, high)| rounded(high)),
    }
}

fn reviewer(worth: &eval::Worth) -> wire::ReviewerEntry {
    wire::ReviewerEntry {
        reviewer: worth.name.clone(),
        lineage: worth.lineage.to_string(),
        worth: figures(worth),
    }
}

fn lineage(worth: &eval::Worth) -> wire::LineageEntry {
    wire::LineageEntry { lineage: worth.name.clone(), worth: figures(worth) }
}

fn figures(worth: &eval::Worth) -> wire::Worth {
    wire::Worth {
        cases_answered: worth.answered,
        findings: worth.findings,
        precision: share(worth.precision),
        recall: share(worth.recall),
        alone: share(worth.alone),
    }
}

fn level(level: &Level) -> wire::LevelEntry {
    wire::LevelEntry {
        agreement: agreement_word(level.agreement),
        lineages: level.lineages,
        issues: share(level.issues),
        by_chance: level.by_chance.map(rounded),
        findings: share(level.findings),
        pairs: share(level.pairs),
    }
}

fn contrast(contrast: &Contrast) -> wire::ContrastEntry {
    wire::ContrastEntry {
        agreement: agreement_word(contrast.agreement),
        issues: contrast.issues.map(estimate),
        beyond_chance: contrast.beyond_chance.map(estimate),
        findings: contrast.findings.map(estimate),
    }
}

fn gains(gains: &eval::Gains) -> wire::GainsEntry {
    let step = |step: &eval::Step| wire::StepEntry {
        lineages: step.lineages,
        recall: estimate(step.recall),
        gain: estimate(step.gain),
    };
    let added = |added: &eval::Added| wire::AddedEntry {
        lineage: added.lineage.to_string(),
        recall: share(added.recall),
        new: added.new,
    };
    wire::GainsEntry {
        by_size: gains.by_size.iter().map(step).collect(),
        greedy: gains.greedy.iter().map(added).collect(),
        shapley: gains
            .shapley
            .iter()
            .map(|(lineage, gain)| wire::ShapleyEntry { lineage: lineage.to_string(), gain: rounded(*gain) })
            .collect(),
    }
}
