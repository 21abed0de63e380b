//! What stands at no line of the code and must not be lost: a [`Notice`] for whatever was not read, left out or has no place.

use crate::{
    bundle::Bundle,
    finding::Severity,
    report::{coverage, foreign, formats::plain, judged, summary, words},
    tally::{RejectedText, Tally, gate::Gate, verdict},
};

/// Something about the whole review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Of which kind.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// One line for people, harmless to print.
    pub text: String,
    /// A file of the change it has to do with, for forms that want one.
    pub path: Option<String>,
}

/// What a notice is about. Ordered by how much a reader must know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A reviewer did not answer, or nobody was asked: the review is partial.
    NotRead,
    /// A finding without a usable place; it counts.
    Unplaced,
    /// Text of a reply that looked like a finding and was not usable.
    Rejected,
    /// What was meant to be left out: files, reviewers that rules did not choose.
    LeftOut,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::NotRead, Self::Unplaced, Self::Rejected, Self::LeftOut];

    /// A short name for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotRead => "not-read",
            Self::Unplaced => "unplaced",
            Self::Rejected => "rejected",
            Self::LeftOut => "left-out",
        }
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NotRead => "A part of the change was not read by somebody who was to read it.",
            Self::Unplaced => "A finding that names no usable place.",
            Self::Rejected => "Text that looked like a finding and could not be used.",
            Self::LeftOut => "What nobody was to read.",
        }
    }
}

/// All notices of a tally, those first that a reader must know.
pub fn notices(tally: &Tally) -> Vec<Notice> {
    let unplaced = summary::unplaced(tally).into_iter().map(|member| Notice {
        kind: Kind::Unplaced,
        severity: member.anchored.finding.severity,
        text: plain::unplaced(member),
        path: a_file_of(tally, &member.bundle),
    });
    let rejected = tally.rejects.iter().map(|reject| rejected(tally, reject));
    let routed =
        coverage::routed(tally).into_iter().map(|line| left_out(format!("{}.", words::sentence(&line))));
    let excluded = coverage::excluded_lines(&tally.excluded);
    let excluded = excluded.into_iter().map(|line| left_out(format!("Not shown to reviewers: {line}.")));
    let nothing = is_nothing(tally).then(|| left_out(words::sentence(&summary::headline(tally)) + "."));
    not_read(tally)
        .into_iter()
        .chain(nothing)
        .chain(unplaced)
        .chain(rejected)
        .chain(routed)
        .chain(excluded)
        .collect()
}

/// What makes the review a partial one; empty when all that was to be read was.
pub fn not_read(tally: &Tally) -> Vec<Notice> {
    let notice = |text: String, path| Notice { kind: Kind::NotRead, severity: Severity::Warn, text, path };
    let mut all = Vec::new();
    if tally.coverage.is_empty() && !is_nothing(tally) {
        all.push(notice(words::sentence(&summary::headline(tally)) + ".", None));
    }
    let cut_short = tally.run.cut_short.as_deref();
    all.extend(cut_short.map(|why| notice(format!("Cut short: {}.", foreign::one_line(why)), None)));
    let bundles = summary::bundle_heads(tally).len();
    for gap in coverage::gaps(tally) {
        let because = if gap.reason.is_empty() { String::new() } else { format!(": {}", gap.reason) };
        let path = gap.bundles.first().and_then(|bundle| a_file_of(tally, bundle));
        all.push(notice(format!("Not read: {} {}{because}.", gap.reviewer, gap.event(bundles)), path));
    }
    all
}

/// Whether there was nothing to ask about, so that nothing is missing.
fn is_nothing(tally: &Tally) -> bool {
    tally.bundles.is_empty() && tally.coverage.is_empty() && tally.run.cut_short.is_none()
}

/// For forms that show open issues only: how many others there are.
pub fn not_shown(tally: &Tally) -> Option<Notice> {
    let (dismissed, retracted) = (summary::dismissed(tally).count(), summary::retracted(tally).len());
    let mut parts = Vec::new();
    if dismissed > 0 {
        parts.push(format!("{} dismissed by a human", words::count(dismissed, "issue")));
    }
    if retracted > 0 {
        parts.push(format!("{} taken back by its reviewer", words::count(retracted, "finding")));
    }
    (!parts.is_empty()).then(|| left_out(format!("Not in this report: {}.", words::list(&parts))))
}

/// Headline, verdict, gate, coverage and judgements, a sentence each.
pub fn outcome(tally: &Tally, gate: &Gate) -> Vec<String> {
    let conclusion = verdict::conclude(tally, gate);
    let heard = summary::heard_words(summary::heard(tally).len());
    let mut lines = vec![
        summary::headline(tally),
        summary::verdict_line(&conclusion),
        summary::gate_line(gate),
        format!("coverage: {}{heard}", coverage::in_short(tally)),
    ];
    lines.extend(judged::in_short(tally).map(|line| format!("judged: {line}")));
    lines.iter().map(|line| words::sentence(line) + ".").collect()
}

fn left_out(text: String) -> Notice {
    Notice { kind: Kind::LeftOut, severity: Severity::Info, text, path: None }
}

fn rejected(tally: &Tally, reject: &RejectedText) -> Notice {
    let (bundle, why) = (words::bundle_name(&reject.bundle), foreign::one_line(&reject.reason));
    let text = foreign::one_line(&reject.text);
    Notice {
        kind: Kind::Rejected,
        severity: Severity::Info,
        text: format!("Not usable, from {} on {bundle}: {why}: \"{text}\"", reject.reviewer),
        path: a_file_of(tally, &reject.bundle),
    }
}

/// The first file of a bundle.
fn a_file_of(tally: &Tally, bundle: &str) -> Option<String> {
    let known: Option<&Bundle> = tally.bundles.iter().find(|one| one.id == bundle);
    known?.files.first().map(|file| file.path.to_string())
}
