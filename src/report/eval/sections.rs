//! What there is to say about [`Scores`], as titled tables and remarks: [`sections`].
//!
//! Names are still foreign text; `text` makes them harmless for where they are shown.

use crate::{
    eval::{Contrast, Estimate, Level, Scores, Worth},
    proportion::Proportion,
    report::words,
    tally::Agreement,
};

/// A table with remarks under it.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) heading: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) remarks: Vec<String>,
}

/// What was scored, in a sentence.
pub(super) fn subject(scores: &Scores) -> String {
    format!(
        "{} with {}; {} by {} of {}",
        words::count(scores.cases, "case"),
        words::count(scores.real, "true issue"),
        words::count(scores.findings, "finding"),
        words::count(scores.reviewers.len(), "reviewer"),
        words::count(scores.lineages.len(), "lineage"),
    )
}

/// Everything in the order of interest.
pub(super) fn sections(scores: &Scores) -> Vec<Section> {
    let all = [
        worths("Reviewers", "reviewer", &scores.reviewers),
        lineages(scores),
        agreement(scores),
        sizes(scores),
        order(scores),
    ];
    all.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

fn worths(title: &'static str, name: &'static str, worths: &[Worth]) -> Section {
    let row = |worth: &Worth| {
        vec![
            worth.name.clone(),
            worth.answered.to_string(),
            worth.findings.to_string(),
            share(worth.precision),
            share(worth.recall),
            worth.alone.hits.to_string(),
        ]
    };
    Section {
        title,
        heading: vec![name, "cases", "findings", "precision", "recall", "only it found"],
        rows: worths.iter().map(row).collect(),
        remarks: Vec::new(),
    }
}

fn lineages(scores: &Scores) -> Section {
    let mut section = worths("Lineages", "lineage", &scores.lineages);
    section.rows.push(vec![
        "all together".to_owned(),
        scores.cases.to_string(),
        scores.findings.to_string(),
        share(scores.precision),
        share(scores.recall),
        String::new(),
    ]);
    if scores.relative {
        let remark = "Without a list of true issues, recall is of those that labelled findings name: what nobody found is missing.";
        section.remarks.push(remark.to_owned());
    }
    if scores.unjudged > 0 {
        let unjudged = words::count(scores.unjudged, "finding");
        section.remarks.push(format!("{unjudged} nobody judged: they count neither for nor against."));
    }
    if scores.unread > 0 {
        let unread = words::count(scores.unread, "labelled finding");
        section.remarks.push(format!("{unread} could not be found in the saved replies."));
    }
    section
}

fn agreement(scores: &Scores) -> Section {
    let golden = scores.agreement.iter().any(|level| level.pairs.of > 0);
    let row = |level: &Level| {
        let cells = [
            level.agreement.word().to_owned(),
            level.lineages.to_string(),
            share(level.findings),
            share(level.issues),
            level.by_chance.map_or_else(String::new, words::percent),
        ];
        cells.into_iter().chain(golden.then(|| share(level.pairs))).collect()
    };
    let mut heading = vec!["agreement", "lineages", "true findings", "true issues", "by chance"];
    heading.extend(golden.then_some("pairs that are one"));
    Section {
        title: "Agreement",
        heading,
        rows: scores.agreement.iter().map(row).collect(),
        remarks: scores.contrasts.iter().filter_map(contrast).collect(),
    }
}

fn contrast(contrast: &Contrast) -> Option<String> {
    let kind = match contrast.agreement {
        Agreement::Claim => "the claim",
        Agreement::Place => "the place alone",
        Agreement::Single => return None,
    };
    let (issues, beyond) = (contrast.issues?, contrast.beyond_chance?);
    let findings = contrast.findings?;
    Some(format!(
        "Where two lineages or more agree on {kind}, against one alone: findings {}; issues {}, beyond chance {}.",
        points(findings),
        points(issues),
        points(beyond),
    ))
}

fn sizes(scores: &Scores) -> Section {
    let row =
        |step: &crate::eval::Step| vec![step.lineages.to_string(), estimate(step.recall), points(step.gain)];
    Section {
        title: "What further lineages add, over all panels of that size",
        heading: vec!["lineages", "mean recall", "gain"],
        rows: scores.gains.by_size.iter().map(row).collect(),
        remarks: Vec::new(),
    }
}

fn order(scores: &Scores) -> Section {
    let row = |added: &crate::eval::Added| {
        let shapley = scores.gains.shapley.iter().find(|(lineage, _)| *lineage == added.lineage);
        vec![
            added.lineage.to_string(),
            share(added.recall),
            added.new.to_string(),
            shapley.map_or_else(String::new, |(_, gain)| words::percent(*gain)),
        ]
    };
    Section {
        title: "The best next lineage each time",
        heading: vec!["lineage", "recall with it", "new", "adds on average"],
        rows: scores.gains.greedy.iter().map(row).collect(),
        remarks: Vec::new(),
    }
}

fn share(proportion: Proportion) -> String {
    let Proportion { hits, of } = proportion;
    let counts = if of == 0 { String::new() } else { format!(" {hits}/{of}") };
    words::share(proportion) + &counts
}

fn estimate(estimate: Estimate) -> String {
    words::percent(estimate.value) + &estimate.interval.map(words::interval).unwrap_or_default()
}

/// A difference of shares in percentage points.
fn points(difference: Estimate) -> String {
    let signed = |share: f64| format!("{:+.0}", share * 100.0 + 0.0);
    let interval = difference.interval;
    let interval = interval.map(|(low, high)| format!(" ({} to {})", signed(low), signed(high)));
    signed(difference.value) + &interval.unwrap_or_default()
}
