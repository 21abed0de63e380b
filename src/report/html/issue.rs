//! One issue with every wording beside its lines of the diff: [`Entry`].

use serde::Serialize;

use super::{
    excerpt::{Row, Sources},
    names::Names,
    prose::{self, Part},
};
use crate::{
    finding::Anchor,
    report::{
        earlier, foreign,
        judged::{self, Said},
        summary, words,
    },
    tally::{Issue, Member},
};

/// Further places of a finding that are shown.
const PLACES_SHOWN: usize = 8;

/// Characters of the claim in an issue's heading.
const CLAIM_SHOWN: usize = 180;

/// Characters of a quote that are shown.
const QUOTE_SHOWN: usize = 300;

/// An issue.
#[derive(Serialize)]
pub(super) struct Entry {
    id: String,
    short: String,
    severity: &'static str,
    place: String,
    path: String,
    what: String,
    agreement: &'static str,
    agreed: String,
    agreed_on: Option<&'static str>,
    standing: Option<String>,
    examined: String,
    decided: Option<String>,
    dismissed: bool,
    lineages: String,
    bundles: String,
    components: String,
    rows: Vec<Row>,
    unshown: Option<&'static str>,
    wordings: Vec<Wording>,
    judgements: Vec<Judgement>,
    near: Vec<Near>,
}

/// What one reviewer says.
#[derive(Serialize)]
pub(super) struct Wording {
    reviewer: String,
    lineage: String,
    bundle: String,
    severity: &'static str,
    own_word: Option<String>,
    what: Vec<Part>,
    why: Vec<Part>,
    fix: Vec<Part>,
    quote: String,
    place: String,
    remarks: String,
    also: Vec<String>,
}

/// What somebody says about others' claims; set apart from who found something.
#[derive(Serialize)]
struct Judgement {
    how: &'static str,
    who: String,
    word: &'static str,
    why: String,
    quote: String,
}

/// An issue that lies near and is another one.
#[derive(Serialize)]
struct Near {
    id: String,
    place: String,
}

impl Entry {
    pub(super) fn of(issue: &Issue, names: &Names<'_>, sources: &Sources<'_>, heard: usize) -> Self {
        let what = issue.spokesman().map_or("", |member| &member.anchored.finding.what);
        let rows = sources.rows(issue);
        let unshown = if rows.is_empty() { unshown(issue) } else { None };
        Self {
            id: issue.id.clone(),
            short: names.directory.short_id(issue).to_owned(),
            severity: issue.severity.word(),
            place: summary::place(issue),
            path: foreign::one_line(&issue.path),
            what: words::in_brief(what, CLAIM_SHOWN),
            agreement: issue.agreement.word(),
            agreed: summary::agreement(issue, heard),
            agreed_on: summary::agreed_on(issue.agreement),
            standing: earlier::standing(issue).map(|word| foreign::one_line(&word)),
            examined: judged::examined_cell(issue),
            decided: issue.disposition.as_ref().map(|one| words::sentence(&summary::decided_words(one))),
            dismissed: issue.dismissed().is_some(),
            lineages: names.lineages_in(issue),
            bundles: names.bundles_in(issue),
            components: names.components_in(issue),
            rows,
            unshown,
            wordings: summary::standing(issue).map(Wording::of).collect(),
            judgements: judgements(issue),
            near: near(issue, names),
        }
    }
}

impl Wording {
    pub(super) fn of(member: &Member) -> Self {
        let finding = &member.anchored.finding;
        let also = summary::also_at(member);
        Self {
            reviewer: foreign::one_line(member.reviewer.as_str()),
            lineage: foreign::one_line(member.lineage.as_str()),
            bundle: words::bundle_name(&member.bundle),
            severity: finding.severity.word(),
            own_word: summary::own_word(member).map(foreign::one_line),
            what: prose::parts(&finding.what),
            why: prose::parts(&finding.why),
            fix: prose::mending(&finding.fix),
            quote: words::in_brief(finding.quote.as_deref().unwrap_or_default(), QUOTE_SHOWN),
            place: foreign::one_line(&finding.where_text),
            remarks: foreign::one_line(&summary::place_remarks(member).join("; ")),
            also: also.into_iter().take(PLACES_SHOWN).collect(),
        }
    }
}

/// Why no line of the diff stands beside an issue.
fn unshown(issue: &Issue) -> Option<&'static str> {
    let anchor = issue.spokesman().map(Member::anchor)?;
    Some(match anchor {
        Anchor::Unchecked => "No bundle is at hand, so its lines cannot be shown.",
        Anchor::File => "It lies outside the lines that reviewers were shown.",
        Anchor::Outside => "It lies outside the change.",
        Anchor::Changed | Anchor::Context | Anchor::Moved | Anchor::Nowhere => {
            "It names no line of the diff."
        }
    })
}

fn judgements(issue: &Issue) -> Vec<Judgement> {
    let told = |how| {
        move |said: Said<'_>| Judgement {
            how,
            who: said.who(),
            word: said.word,
            why: words::sentence(&said.why()),
            quote: said.quote(),
        }
    };
    let adjudicated = judged::adjudicated(issue).map(told("adjudicated"));
    adjudicated.chain(judged::examined(issue).map(told("examined"))).collect()
}

fn near(issue: &Issue, names: &Names<'_>) -> Vec<Near> {
    let other = |id: &String| names.directory.find(id);
    let told = |other: &Issue| Near { id: other.id.clone(), place: summary::place(other) };
    issue.see_also.iter().filter_map(other).map(told).take(PLACES_SHOWN).collect()
}
